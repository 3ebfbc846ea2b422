/**
 * A first look at a job's data before anything is computed: lists that can be read, cases that exist.
 *
 * @module
 */
import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { ConfigError, DataError } from '../errors';
import { caseName, checkDisjoint, type DatalistItem, loadDatalist } from '../imaging/datalist';
import { isBratsData } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteImages } from './job-data';
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
  if (isBratsData(job.data) && job.data.centralized) for (const { datalist } of sites) checkCentralList(datalist);
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
  for (const { datalist, baseDir } of sites) {
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
