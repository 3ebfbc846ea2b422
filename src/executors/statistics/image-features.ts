import { caseName, loadDatalist } from '../../imaging/datalist';
import { readNifti } from '../../imaging/nifti/read-nifti';
import type { FeatureSource, FeatureValues } from '../../statistics/feature-source';

export interface ImageFeaturesOptions {
  readonly datalist: string;
  readonly baseDir: string;
  /** Names of the images of a case, in the order of the data list. */
  readonly modalities: readonly string[];
  /** Told of what is odd about a file. */
  readonly warn: (message: string) => void;
}

/**
 * Intensities of the site's training images, by modality: one feature each. Voxels of exactly 0 are background, not part of
 * the head, and left out. A volume is one case.
 *
 * @returns a source that throws DataError for a list or a file that cannot be read.
 */
export function imageFeatures(options: ImageFeaturesOptions): FeatureSource {
  const warned = new Set<string>();
  return { features: () => readImages(options, warned) };
}

async function* readImages(
  { datalist, baseDir, modalities, warn }: ImageFeaturesOptions,
  warned: Set<string>,
): AsyncGenerator<FeatureValues> {
  for (const item of await loadDatalist(datalist, { list: 'training', baseDir, images: modalities.length })) {
    for (const [i, file] of item.image.entries()) {
      const { data, warnings } = await readNifti(file);
      for (const warning of warnings.filter((one) => !warned.has(one))) {
        warned.add(warning);
        warn(`${caseName(item)}: ${warning}`);
      }
      yield { feature: modalities[i]!, values: data.filter((intensity) => intensity !== 0), cases: 1 };
    }
  }
}
