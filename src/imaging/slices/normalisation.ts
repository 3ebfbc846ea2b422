/**
 * How intensities of slices, which mean nothing across scanners, are brought to one scale as slices are loaded. Source and target are
 * scaled each by itself, with nothing but their own numbers.
 *
 * @module
 */

export const normalisations = ['slice-max', 'volume-max', 'percentile', 'z-score', 'none'] as const;

/**
 * - `slice-max`: divided by the slice's largest value (as in the published job);
 * - `volume-max`: divided by the largest value of all slices of the patient;
 * - `percentile`: divided by the 99.5th percentile of the patient's values above 0, and cut off at 1: a few bright voxels decide nothing;
 * - `z-score`: less the mean of the patient's values above 0, divided by their deviation; leaves [0, 1];
 * - `none`: as stored.
 */
export type Normalisation = (typeof normalisations)[number];

/** What makes `(x − shift) / divisor`, cut off at `most`, of a value. */
export interface Scale {
  readonly shift: number;
  /** > 0. */
  readonly divisor: number;
  readonly most: number;
}

const PERCENTILE = 99.5;

const asStored: Scale = { shift: 0, divisor: 1, most: Number.POSITIVE_INFINITY };

/** Whether it takes all slices of a patient to scale one of them. */
export function needsVolume(normalisation: Normalisation): boolean {
  return normalisation !== 'slice-max' && normalisation !== 'none';
}

/** From a slice, or from all slices of a patient where {@link needsVolume}. What has no value above 0 stays as it is. */
export function scaleFrom(normalisation: Normalisation, slices: readonly Float32Array[]): Scale {
  switch (normalisation) {
    case 'none':
      return asStored;
    case 'slice-max':
    case 'volume-max': {
      const largest = slices.reduce((most, slice) => slice.reduce((a, b) => Math.max(a, b), most), 0);
      return largest > 0 ? { ...asStored, divisor: largest } : asStored;
    }
    case 'percentile': {
      const values = aboveZero(slices).sort();
      return values.length === 0 ? asStored : { shift: 0, divisor: percentile(values, PERCENTILE), most: 1 };
    }
    case 'z-score':
      return standardise(aboveZero(slices));
  }
}

/** Scales in place. */
export function scaleSlice(slice: Float32Array, { shift, divisor, most }: Scale): void {
  for (let i = 0; i < slice.length; i++) slice[i] = Math.min((slice[i]! - shift) / divisor, most);
}

function aboveZero(slices: readonly Float32Array[]): Float32Array {
  const count = slices.reduce((sum, slice) => sum + slice.reduce((n, value) => n + (value > 0 ? 1 : 0), 0), 0);
  const values = new Float32Array(count);
  let at = 0;
  for (const slice of slices) for (const value of slice) if (value > 0) values[at++] = value;
  return values;
}

/** With linear interpolation between neighbours, as NumPy's default. @param sorted not empty. */
function percentile(sorted: Float32Array, percent: number): number {
  const place = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (place - below);
}

/** Values that are all the same are moved to 0 and not stretched. */
function standardise(values: Float32Array): Scale {
  if (values.length === 0) return asStored;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { ...asStored, shift: mean, divisor: deviation > 0 ? deviation : 1 };
}
