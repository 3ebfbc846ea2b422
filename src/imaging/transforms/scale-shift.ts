/**
 * Intensity augmentation.
 *
 * @module
 */

/** In place on every voxel of every channel, background included: `value · (1 + factor) + offset`, in float32. */
export function scaleShiftIntensity(data: Float32Array, factor: number, offset: number): void {
  const gain = Math.fround(1 + factor);
  const shift = Math.fround(offset);
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(data[i]! * gain) + shift;
}
