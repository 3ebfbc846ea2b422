/**
 * Batch normalisation and its gradient in float64: group normalisation of the transposed problem, each channel one group.
 *
 * @module
 */
import { sizeOf } from '../../tensor/tensor';
import type { Array64 } from './rule';

/** Calls `visit(element, channel)` for each element of x `[N, C, ...]`. */
function visitChannels(x: Array64, visit: (i: number, channel: number) => void): void {
  const spatial = sizeOf(x.shape.slice(2));
  for (let i = 0; i < x.data.length; i++) visit(i, Math.floor(i / spatial) % x.shape[1]!);
}

export function batchNorm(x: Array64, scale: Array64, shift: Array64, epsilon: number): Float64Array[] {
  const size = x.data.length / x.shape[1]!;
  const mean = new Float64Array(x.shape[1]!);
  const variance = new Float64Array(x.shape[1]!);
  visitChannels(x, (i, c) => {
    mean[c]! += x.data[i]! / size;
  });
  visitChannels(x, (i, c) => {
    variance[c]! += (x.data[i]! - mean[c]!) ** 2 / size;
  });
  const y = new Float64Array(x.data.length);
  visitChannels(x, (i, c) => {
    y[i] = ((x.data[i]! - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale.data[c]! + shift.data[c]!;
  });
  return [y, mean, variance];
}

/** dx = γ·r·(dy − mean(dy) − x̂·mean(dy·x̂)) with means over each channel; dγ = Σ dy·x̂; dβ = Σ dy. */
export function batchNormGrad(
  dy: Array64,
  x: Array64,
  scale: Array64,
  mean: Array64,
  variance: Array64,
  epsilon: number,
): Float64Array[] {
  const size = x.data.length / x.shape[1]!;
  const rstd = variance.data.map((v) => 1 / Math.sqrt(v + epsilon));
  const normal = new Float64Array(x.data.length);
  const dScale = new Float64Array(x.shape[1]!);
  const dShift = new Float64Array(x.shape[1]!);
  visitChannels(x, (i, c) => {
    normal[i] = (x.data[i]! - mean.data[c]!) * rstd[c]!;
    dScale[c]! += dy.data[i]! * normal[i]!;
    dShift[c]! += dy.data[i]!;
  });
  const dx = new Float64Array(x.data.length);
  visitChannels(x, (i, c) => {
    const centred = dy.data[i]! - dShift[c]! / size - (normal[i]! * dScale[c]!) / size;
    dx[i] = scale.data[c]! * rstd[c]! * centred;
  });
  return [dx, dScale, dShift];
}
