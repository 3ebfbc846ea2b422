/**
 * A first look at a job's data before anything is computed: lists that can be read, cases that exist.
 *
 * @module
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { ConfigError, DataError } from '../errors';
import { caseName, checkDisjoint, type DatalistItem, loadDatalist } from '../imaging/datalist';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteCases } from './loader/loader-messages';

/**
 * @returns the names of the validation cases, those that choose the best model.
 * @throws ConfigError or DataError naming the flag or the file, what was found and what was expected.
 */
export async function checkData(job: JobSpec, sites: readonly SiteCases[]): Promise<readonly string[]> {
  checkSizes(job);
  const checked = new Set<string>();
  const selection = new Set<string>();
  for (const { datalist, baseDir } of sites) {
    const training = await loadDatalist(datalist, { list: 'training', baseDir });
    const validation = await loadDatalist(datalist, { list: 'validation', baseDir });
    checkDisjoint(datalist, training, validation);
    await Promise.all([...training, ...validation].flatMap(filesOf).map(once));
    for (const item of validation) selection.add(caseName(item));
  }
  return [...selection].sort();

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

function filesOf({ image, label }: DatalistItem): string[] {
  return [...image, label];
}

/** The network halves a volume three times, so every size it sees has to be a multiple of eight. */
function checkSizes({ trainer, model }: JobSpec): void {
  const divisor = 2 ** (model.blocksDown.length - 1);
  for (const [flag, size] of [
    ['--roi_size', trainer.roi],
    ['--infer_roi_size', trainer.inferRoi],
  ] as const) {
    if (size.every((n) => n % divisor === 0)) continue;
    throw new ConfigError(
      `${flag} is ${size.join(' ')}, but every size has to be a multiple of ${divisor} for this network.`,
      {
        hint: `Use ${size.map((n) => Math.max(divisor, Math.round(n / divisor) * divisor)).join(' ')}, for example.`,
      },
    );
  }
}
