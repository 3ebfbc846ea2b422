/**
 * A first look at a job's data before anything is computed: lists that can be read, cases that exist.
 *
 * @module
 */
import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, DataError } from '../errors';
import { caseName, checkDisjoint, type DatalistItem, loadDatalist } from '../imaging/datalist';
import { splits } from '../imaging/slices/layout';
import { sliceReader } from '../imaging/slices/slice-reader';
import { isBratsData } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteImages, SiteSliceImages } from './job-data';
import { listSite } from './loader/site-slice-source';
import { tableOf } from './site-features';

/**
 * @param folder what relative paths of the job start from.
 * @returns the names of the validation cases, those that choose the best model.
 * @throws ConfigError or DataError naming the flag or the file, what was found and what was expected.
 */
export async function checkData(
  job: JobSpec,
  folder: string,
  sites: readonly SiteImages[],
): Promise<readonly string[]> {
  checkTables(job, folder);
  if (isBratsData(job.data) && job.data.centralized) {
    for (const images of sites) if ('datalist' in images) checkCentralList(images.datalist);
  }
  return (await checkImages(sites)).validation;
}

/**
 * @returns the names of the cases that are listed.
 * @throws ConfigError or DataError naming the list or the first file that cannot be read.
 */
export async function checkImages(
  sites: readonly SiteImages[],
): Promise<{ readonly training: readonly string[]; readonly validation: readonly string[] }> {
  const checked = new Set<string>();
  const names = { training: new Set<string>(), validation: new Set<string>() };
  for (const images of sites) {
    if (!('datalist' in images)) {
      await checkSlices(images, names);
      continue;
    }
    const { datalist, baseDir } = images;
    const training = await loadDatalist(datalist, { list: 'training', baseDir });
    const validation = await loadDatalist(datalist, { list: 'validation', baseDir });
    checkDisjoint(datalist, training, validation);
    await Promise.all([...training, ...validation].flatMap(filesOf).map(once));
    for (const item of training) names.training.add(caseName(item));
    for (const item of validation) names.validation.add(caseName(item));
  }
  return { training: [...names.training].sort(), validation: [...names.validation].sort() };

  async function once(file: string): Promise<void> {
    if (checked.has(file)) return;
    checked.add(file);
    await access(file, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
      throw new DataError(
        `'${file}' is named in a data list but ${cause.code === 'ENOENT' ? 'does not exist' : 'cannot be read'}.`,
        {
          file,
          cause,
          hint: 'Check --dataset_base_dir: the paths of the data lists start there.',
        },
      );
    });
  }
}

/**
 * Every slice has its partners, the splits have no patient in common, and the first slice can be read.
 *
 * @throws DataError
 */
async function checkSlices(
  images: SiteSliceImages,
  names: { readonly training: Set<string>; readonly validation: Set<string> },
): Promise<void> {
  const pairs = await listSite(images, () => {}); // What it has to say, the loader says.
  for (const { name } of pairs.train) names.training.add(name);
  for (const { name } of pairs.validation) names.validation.add(name);
  checkPatients(images.folder, pairs);
  await sliceReader(pairs.train, 'none').read(pairs.train[0]!);
}

/** @throws DataError for a patient with slices in two splits: what is learnt by heart would count as known. */
function checkPatients(folder: string, pairs: Awaited<ReturnType<typeof listSite>>): void {
  const known = new Map<string, string>();
  for (const split of splits) {
    for (const { patient, source } of pairs[split]) {
      const key = join(dirname(source), '..', '..', patient);
      const other = known.get(key) ?? split;
      known.set(key, other);
      if (other === split) continue;
      throw new DataError(`${folder}: patient '${patient}' has slices in ${other} and in ${split}.`, {
        file: folder,
        hint: 'Move all slices of a patient into one of train, validation and test.',
      });
    }
  }
}

/** @throws ConfigError when a site's table is missing. */
function checkTables({ data, sites }: JobSpec, folder: string): void {
  if (data.kind !== 'csv') return;
  for (const site of sites) {
    const table = tableOf(data, site, folder);
    if (existsSync(table)) continue;
    throw new ConfigError(`data.path: the table '${table}' of ${site} does not exist.`, {
      hint: "The path starts from the job's folder, and {site} in it stands for the site's name.",
    });
  }
}

function filesOf({ image, label }: DatalistItem): string[] {
  return [...image, label];
}

/** @throws ConfigError when the list of the centralised baseline is missing; another list is never taken for it. */
function checkCentralList(datalist: string): void {
  if (existsSync(datalist)) return;
  throw new ConfigError(`--n_clients 1 is the centralised baseline and needs '${datalist}', which does not exist.`, {
    hint: 'Put site-All.json, the union of the training lists of all sites, beside the other data lists.',
  });
}
