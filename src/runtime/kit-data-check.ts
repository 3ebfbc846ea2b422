/**
 * Whether the data that a site names in its settings are there.
 *
 * @module
 */
import { access, constants, stat } from 'node:fs/promises';
import { contrastsIn, listSlices, splits } from '../imaging/slices/layout';
import { counted } from '../util/counted';
import { checkImages } from './data-check';
import type { SiteImages } from './job-data';
import type { Found } from './machine-check';

/** Every file that the data list names. */
export async function listed(images: SiteImages): Promise<Found> {
  const { training, validation } = await checkImages([images]);
  return {
    status: 'ok',
    message: `${counted(training.length, 'case')} to train on, ${validation.length} to validate on`,
  };
}

/** Every slice that a translation between any two of the contrasts would need. */
export async function listedSlices(folder: string): Promise<Found> {
  const [first, ...others] = await contrastsIn(folder);
  if (first === undefined || others.length === 0) {
    const message = `${folder} has training slices in ${first ?? 'no contrast'}; a translation needs two contrasts`;
    return { status: 'problem', message, hint: "'consilium data slices' writes the folders that are expected." };
  }
  const counts = [0, 0, 0];
  for (const target of others) {
    for (const [i, split] of splits.entries()) {
      counts[i] = (await listSlices(folder, split, { source: first, target })).length;
    }
  }
  const [train, validation, test] = counts;
  const message = `${[first, ...others].join(', ')}: ${train} to train on, ${validation} to validate on, ${test} to test on`;
  return { status: 'ok', message };
}

/** Whether a folder or file that a field of the settings names can be read. */
export async function readable(field: string, path: string): Promise<Found> {
  try {
    const found = await stat(path);
    await access(path, found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return { status: 'ok', message: `${field}: ${path}` };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EACCES'
          ? 'may not be read by this user'
          : `cannot be read (${code})`;
    return {
      status: 'problem',
      message: `${field}: ${path} ${why}`,
      hint: 'Correct site.yaml, or the rights of this user.',
    };
  }
}
