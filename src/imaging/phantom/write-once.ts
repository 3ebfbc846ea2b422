/**
 * A synthetic data set is written as a whole or not at all, and never over anything else.
 *
 * @module
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, isConsiliumError } from '../../errors';
import { workspaceError } from '../../util/atomic-file';
import { makeFolder } from '../../util/make-folder';

/** Written last; a folder without it is not a phantom. */
const MANIFEST = 'phantom.json';

/**
 * Lets `write` fill a draft of the folder, and puts it in place. A folder that holds the same phantom already is reused.
 *
 * @param manifest options and content as JSON: equal for equal phantoms.
 * @returns whether the folder held this very phantom before.
 * @throws ConfigError for a folder with other content; WorkspaceError from the disk.
 */
export async function writeOnce(
  out: string,
  manifest: string,
  write: (draft: string) => Promise<void>,
): Promise<boolean> {
  if (await isReusable(out, manifest)) return true;
  const draft = `${out}.${process.pid}.tmp`;
  try {
    await makeFolder(draft);
    await write(draft);
    await writeFile(join(draft, MANIFEST), manifest);
    await rename(draft, out);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process may have written the same phantom meanwhile.
    if (await isReusable(out, manifest)) return true;
    throw isConsiliumError(error) ? error : workspaceError('write the phantom into', out, error);
  }
  return false;
}

/** True when `out` holds the phantom of `manifest`, false when there is nothing yet. @throws ConfigError otherwise. */
async function isReusable(out: string, manifest: string): Promise<boolean> {
  let entries: string[];
  try {
    entries = await readdir(out);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw workspaceError('look into', out, error);
  }
  if (entries.length === 0) return false;
  const found = entries.includes(MANIFEST) ? await readFile(join(out, MANIFEST), 'utf8') : undefined;
  if (found === manifest) return true;
  const what = found === undefined ? 'files that are no phantom' : 'a phantom with other options';
  throw new ConfigError(`${out} already holds ${what}; nothing was written.`, {
    hint: 'Choose another folder, or remove this one if you no longer need it.',
  });
}
