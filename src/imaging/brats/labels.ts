/**
 * BraTS label maps ⇄ region masks. Labels: 0 background, 1 necrosis and non-enhancing core, 2 edema, 4 enhancing tumour.
 * Regions overlap: tumour core (1, 4), whole tumour (1, 2, 4), enhancing tumour (4).
 *
 * @module
 */

/** Names of the regions, in the order of the network's output channels. */
export const REGIONS = ['tc', 'wt', 'et'] as const;

export type Region = (typeof REGIONS)[number];

/** The first label that is not 0, 1, 2 or 4 (NaN included), or undefined. */
export function findInvalidLabel(labels: Float32Array): number | undefined {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label !== 0 && label !== 2 && label !== 1 && label !== 4) return label;
  }
  return undefined;
}

/** A label map of n voxels as [3, n] masks of 0 and 1: TC, WT, ET. */
export function labelsToRegions(labels: Float32Array): Float32Array {
  const n = labels.length;
  const regions = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    const label = labels[i]!;
    if (label === 0) continue;
    regions[n + i] = 1;
    if (label !== 2) regions[i] = 1;
    if (label === 4) regions[2 * n + i] = 1;
  }
  return regions;
}

/** The inverse for [3, n] masks (or predictions binarised to 0 and 1): ET → 4, else TC → 1, else WT → 2, else 0. */
export function regionsToLabels(regions: ArrayLike<number>): Uint8Array {
  const n = regions.length / 3;
  const labels = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    if (regions[2 * n + i]! >= 0.5) labels[i] = 4;
    else if (regions[i]! >= 0.5) labels[i] = 1;
    else if (regions[n + i]! >= 0.5) labels[i] = 2;
  }
  return labels;
}
