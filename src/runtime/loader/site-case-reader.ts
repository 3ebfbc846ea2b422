/**
 * The cases of one site as streams, in the order and with the draws that the job's seed fixes.
 *
 * @module
 */
import type { TrainingSample, ValidationCase } from '../../executors/case-source';
import { augment, loadTrainingCase, type TrainingCase } from '../../imaging/brats/training';
import { loadValidationCase } from '../../imaging/brats/validation';
import { caseName, type DatalistItem, loadDatalist } from '../../imaging/datalist';
import { composeRandomState } from '../../imaging/transforms/random-state';
import { deriveSeed, stream } from '../../util/streams';
import type { SiteVolumes } from './loader-messages';

export interface SiteCaseReader {
  lists(): Promise<{ training: number; validation: string[] }>;
  training(round: number, epochs: number): AsyncGenerator<TrainingSample>;
  validation(indices: readonly number[]): AsyncGenerator<ValidationCase>;
}

/** @throws ConfigError or DataError, when a stream is read, naming the file at fault. */
export function siteCaseReader(cases: SiteVolumes, warn: (site: string, message: string) => void): SiteCaseReader {
  const { datalist, baseDir, roi, cacheRate } = cases;
  const lists = Promise.all([
    loadDatalist(datalist, { list: 'training', baseDir }),
    loadDatalist(datalist, { list: 'validation', baseDir }),
  ]);
  lists.catch(() => {}); // Reported to whoever awaits it.
  const trainingCache = new Map<number, TrainingCase>();
  const validationCache = new Map<number, ValidationCase>();
  const warned = new Set<string>();

  return {
    async lists() {
      const [training, validation] = await lists;
      return { training: training.length, validation: validation.map(identityOf) };
    },
    async *training(round, epochs) {
      for (let epoch = 0; epoch < epochs; epoch++) yield* epochOf(round, epoch);
    },
    async *validation(indices) {
      const [, items] = await lists;
      for (const index of indices) {
        const { name, image, shape, label } = await cached(validationCache, index, items, readValidationCase);
        yield { name, shape, image: image.slice(), label: label.slice() }; // The copies are transferred away.
      }
    },
  };

  async function* epochOf(round: number, epoch: number): AsyncGenerator<TrainingSample> {
    const [items] = await lists;
    const order = stream(cases.seed, cases.site, 'shuffle', round, epoch).permutation(items.length);
    const random = composeRandomState(deriveSeed(cases.seed, cases.site, 'augment', round, epoch));
    for (const index of order) {
      const loaded = await cached(trainingCache, index, items, readTrainingCase);
      const { image, label } = augment(loaded, roi, random);
      yield { image, label };
    }
  }

  /** The first `cacheRate` of a list stays in memory, as in MONAI's CacheDataset. */
  async function cached<T>(
    cache: Map<number, T>,
    index: number,
    items: readonly DatalistItem[],
    load: (item: DatalistItem) => Promise<{ loaded: T; warnings: readonly string[] }>,
  ): Promise<T> {
    const kept = cache.get(index);
    if (kept !== undefined) return kept;
    const { loaded, warnings } = await load(items[index]!);
    for (const message of warnings.filter((message) => !warned.has(message))) {
      warned.add(message);
      warn(cases.site, message);
    }
    if (index < Math.floor(items.length * cacheRate)) cache.set(index, loaded);
    return loaded;
  }
}

/** Where the files of a case are is what it is. */
function identityOf({ image, label }: DatalistItem): string {
  return [...image, label].join('\n');
}

async function readTrainingCase(item: DatalistItem): Promise<{ loaded: TrainingCase; warnings: readonly string[] }> {
  const loaded = await loadTrainingCase(item);
  return { loaded, warnings: loaded.warnings };
}

async function readValidationCase(
  item: DatalistItem,
): Promise<{ loaded: ValidationCase; warnings: readonly string[] }> {
  const { image, label, shape, warnings } = await loadValidationCase(item);
  return { loaded: { name: caseName(item), image, shape, label }, warnings };
}
