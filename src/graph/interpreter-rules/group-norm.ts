/**
 * Group normalisation and its gradient in float64.
 *
 * @module
 */
import { sizeOf } from '../../tensor/tensor';
import type { Array64 } from './rule';

/** Calls `visit(element, channel, group)` for each element of x `[N, C, ...]`; `group` counts over all samples. */
function visitGroups(x: Array64, groups: number, visit: (i: number, channel: number, group: number) => void): void {
  const channels = x.shape[1]!;
  const spatial = sizeOf(x.shape.slice(2));
  for (let i = 0; i < x.data.length; i++) {
    const channel = Math.floor(i / spatial) % channels;
    const sample = Math.floor(i / (spatial * channels));
    visit(i, channel, sample * groups + Math.floor((channel * groups) / channels));
  }
}

export function groupNorm(x: Array64, scale: Array64, shift: Array64, groups: number, epsilon: number): Float64Array[] {
  const count = x.shape[0]! * groups;
  const size = x.data.length / count;
  const mean = new Float64Array(count);
  const variance = new Float64Array(count);
  visitGroups(x, groups, (i, _, group) => {
    mean[group]! += x.data[i]! / size;
  });
  visitGroups(x, groups, (i, _, group) => {
    variance[group]! += (x.data[i]! - mean[group]!) ** 2 / size;
  });
  const rstd = variance.map((v) => 1 / Math.sqrt(v + epsilon));
  const y = new Float64Array(x.data.length);
  visitGroups(x, groups, (i, channel, group) => {
    y[i] = (x.data[i]! - mean[group]!) * rstd[group]! * scale.data[channel]! + shift.data[channel]!;
  });
  return [y, mean, rstd];
}

/** dx = r·(g' − mean(g') − x̂·mean(g'·x̂)) with g' = dy·γ and means over each group; dγ = Σ dy·x̂; dβ = Σ dy. */
export function groupNormGrad(
  dy: Array64,
  x: Array64,
  scale: Array64,
  mean: Array64,
  rstd: Array64,
  groups: number,
): Float64Array[] {
  const size = x.data.length / mean.data.length;
  const normal = new Float64Array(x.data.length);
  const dScale = new Float64Array(scale.data.length);
  const dShift = new Float64Array(scale.data.length);
  const meanG = new Float64Array(mean.data.length);
  const meanGX = new Float64Array(mean.data.length);
  visitGroups(x, groups, (i, channel, group) => {
    normal[i] = (x.data[i]! - mean.data[group]!) * rstd.data[group]!;
    const g = dy.data[i]! * scale.data[channel]!;
    dScale[channel]! += dy.data[i]! * normal[i]!;
    dShift[channel]! += dy.data[i]!;
    meanG[group]! += g / size;
    meanGX[group]! += (g * normal[i]!) / size;
  });
  const dx = new Float64Array(x.data.length);
  visitGroups(x, groups, (i, channel, group) => {
    const g = dy.data[i]! * scale.data[channel]!;
    dx[i] = rstd.data[group]! * (g - meanG[group]! - normal[i]! * meanGX[group]!);
  });
  return [dx, dScale, dShift];
}
