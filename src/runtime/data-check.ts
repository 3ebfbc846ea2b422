/**
 * A first look at a job's data before anything is computed: lists that can be read, cases that exist.
 *
 * @module
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { ConfigError, DataError } from '../errors';
import { checkDisjoint, type DatalistItem, loadDatalist } from '../imaging/datalist';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteCases } from './loader/loader-messages';

/** @throws ConfigError or DataError naming the flag or the file, what was found and what was expected. */
export async function checkData(job: JobSpec, sites: readonly SiteCases[]): Promise<void> {
  checkSizes(job);
  const checked = new Set<string>();
  for (const { datalist, baseDir } of sites) {
    const training = await loadDatalist(datalist, { list: 'training', baseDir });
    const validation = await loadDatalist(datalist, { list: 'validation', baseDir });
    checkDisjoint(datalist, training, validation);
    await Promise.all([...training, ...validation].flatMap(filesOf).map(once));
  }

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
