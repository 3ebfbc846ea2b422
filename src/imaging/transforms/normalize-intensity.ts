/**
 * Intensity normalisation over the brain.
 *
 * @module
 */
import type { VolumeShape } from '../volume';

/**
 * Per channel, in place: the non-zero voxels get mean 0 and (population) standard deviation 1, zeros stay. A channel of zeros
 * is left alone; a constant one becomes 0. Statistics in float64, results in float32.
 */
export function normalizeNonzero(data: Float32Array, [channels]: VolumeShape): void {
  const voxels = data.length / channels;
  for (let c = 0; c < channels; c++) normalizeChannel(data.subarray(c * voxels, (c + 1) * voxels));
}

function normalizeChannel(channel: Float32Array): void {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < channel.length; i++) {
    const value = channel[i]!;
    if (value === 0) continue;
    count++;
    sum += value;
  }
  if (count === 0) return;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < channel.length; i++) {
    const value = channel[i]!;
    if (value !== 0) squares += (value - mean) * (value - mean);
  }
  const deviation = Math.fround(Math.sqrt(squares / count)) || 1;
  const centre = Math.fround(mean);
  for (let i = 0; i < channel.length; i++) {
    const value = channel[i]!;
    if (value !== 0) channel[i] = Math.fround(value - centre) / deviation;
  }
}
