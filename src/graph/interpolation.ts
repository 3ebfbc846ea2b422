/**
 * Where interpolation takes its numbers from: one table per axis, as PyTorch's `interpolate` places the samples.
 *
 * @module
 */
import type { Shape } from '../tensor/tensor';
import type { ResizeAttrs } from './ops/resize';

/** For each position of the result, the source positions and their weights. */
export type Taps = readonly (readonly (readonly [from: number, weight: number])[])[];

/** Spatial lengths of the result. */
export function resizedLengths(spatial: Shape, attrs: ResizeAttrs): Shape {
  return 'size' in attrs ? attrs.size : spatial.map((n, i) => Math.floor(n * attrs.scale[i]!));
}

/** The tables of all spatial axes. */
export function resizeTaps(spatial: Shape, attrs: ResizeAttrs): readonly Taps[] {
  const lengths = resizedLengths(spatial, attrs);
  return spatial.map((n, i) => {
    const step = 'size' in attrs ? n / lengths[i]! : 1 / attrs.scale[i]!;
    if (attrs.mode === 'nearest') return nearestTaps(n, lengths[i]!, step);
    return attrs.alignCorners ? alignedTaps(n, lengths[i]!) : centredTaps(n, lengths[i]!, step);
  });
}

/** In float32, as PyTorch computes it: at the edge between two voxels the last bit decides. */
function nearestTaps(n: number, length: number, step: number): Taps {
  const source = (i: number): number => Math.floor(Math.fround(i * Math.fround(step)));
  return Array.from({ length }, (_, i) => [[Math.min(source(i), n - 1), 1]]);
}

function centredTaps(n: number, length: number, step: number): Taps {
  return Array.from({ length }, (_, i) => between(Math.max((i + 0.5) * step - 0.5, 0), n));
}

function alignedTaps(n: number, length: number): Taps {
  return Array.from({ length }, (_, i) => between(length === 1 ? 0 : (i * (n - 1)) / (length - 1), n));
}

/** The neighbours of a place among `n` positions; beyond the last, that one. */
function between(place: number, n: number): readonly (readonly [number, number])[] {
  const near = Math.min(Math.floor(place), n - 1);
  const weight = Math.min(place - near, 1);
  return near === n - 1 || weight === 0
    ? [[near, 1]]
    : [
        [near, 1 - weight],
        [near + 1, weight],
      ];
}
