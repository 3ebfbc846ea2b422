/**
 * Blurs along one axis inside the brain, in place. Voxels at its surface keep their value.
 *
 * @param step distance of neighbours along the axis in the array.
 * @param blur share of a voxel that leaks into its two neighbours, in [0, 0.5).
 */
export function smear(signal: Float32Array, mask: Uint8Array, step: number, blur: number): void {
  const original = signal.slice();
  const side = blur / 2;
  for (let i = step; i < signal.length - step; i++) {
    if (mask[i] === 0 || mask[i - step] === 0 || mask[i + step] === 0) continue;
    signal[i] = (1 - blur) * original[i]! + side * (original[i - step]! + original[i + step]!);
  }
}
