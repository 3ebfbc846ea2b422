/**
 * Group normalisation in standard ONNX operators, with few passes over the large tensors.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { sumProduct, sumRows } from './lower-sums';
import type { OnnxWriter } from './writer';

/** x minus its group's mean, as `[N, C, ...]`, and the mean `[N, groups, 1]`. */
function centred(w: OnnxWriter, x: string, mean: string, shape: Shape, groups: number): string {
  const grouped = w.reshape(x, [shape[0]!, groups, sizeOf(shape) / (shape[0]! * groups)]);
  return w.reshape(w.node('Sub', [grouped, w.reshape(mean, [shape[0]!, groups, 1])]), shape);
}

/** Per-channel numbers `[N, C]` from per-group ones `[N, groups]` times per-channel ones `[C]`. */
function groupTimesChannel(w: OnnxWriter, perGroup: string, perChannel: string, shape: Shape, groups: number): string {
  const [samples, channels] = [shape[0]!, shape[1]!];
  const product = w.node('Mul', [
    w.reshape(perGroup, [samples, groups, 1]),
    w.reshape(perChannel, [1, groups, channels / groups]),
  ]);
  return w.reshape(product, [samples, channels]);
}

/** x·scale + shift with scale `[N, C]` and shift `[C]` or, for one sample, `[1, C]`. */
function channelAffine(w: OnnxWriter, x: string, scale: string, shift: string | undefined, shape: Shape): string {
  const ones = shape.slice(2).map(() => 1);
  const scaled = w.node('Mul', [x, w.reshape(scale, [shape[0]!, shape[1]!, ...ones])]);
  return shift === undefined ? scaled : w.node('Add', [scaled, w.reshape(shift, [-1, shape[1]!, ...ones])]);
}

export function lowerGroupNorm(
  w: OnnxWriter,
  node: NodeOf<'GroupNorm'>,
  [x, scale, shift]: readonly string[],
): readonly string[] {
  const { groups, epsilon } = node.attrs;
  const shape = node.inputs[0]!.shape;
  const rows = shape[0]! * groups;
  const size = sizeOf(shape) / rows;
  const inverseSize = w.scalar(1 / size);
  const mean = w.reshape(w.node('Mul', [sumRows(w, x!, rows, size), inverseSize]), [shape[0]!, groups]);
  const centre = centred(w, x!, mean, shape, groups);
  const variance = w.node('Mul', [sumProduct(w, centre, centre, rows, size), inverseSize]);
  const deviation = w.node('Sqrt', [w.node('Add', [variance, w.scalar(epsilon)])]);
  const rstd = w.reshape(w.node('Reciprocal', [deviation]), [shape[0]!, groups]);
  // From here on as in graph/recompute.ts, operation by operation.
  const perChannel = [1, groups, shape[1]! / groups];
  const perGroup = [shape[0]!, groups, 1];
  const s = w.node('Mul', [w.reshape(rstd, perGroup), w.reshape(scale!, perChannel)]);
  const t = w.node('Sub', [w.reshape(shift!, perChannel), w.node('Mul', [w.reshape(mean, perGroup), s])]);
  const broad = [shape[0]!, shape[1]!, ...shape.slice(2).map(() => 1)];
  const y = w.node('Add', [w.node('Mul', [x!, w.reshape(s, broad)]), w.reshape(t, broad)]);
  return [y, mean, rstd];
}

/**
 * With c = x − mean, r = rstd and sums over a channel's voxels: dβ = Σ dy, dγ = r·Σ dy·c, and
 * dx = γr·dy − (r³/n)·(Σ_group γ·Σ dy·c)·c − (r/n)·Σ_group γ·dβ: three terms with one factor per channel each.
 */
export function lowerGroupNormGrad(
  w: OnnxWriter,
  node: NodeOf<'GroupNormGrad'>,
  [dy, x, scale, mean, rstd]: readonly string[],
): readonly string[] {
  const { groups } = node.attrs;
  const shape = node.inputs[0]!.shape;
  const [samples, channels] = [shape[0]!, shape[1]!];
  const voxels = sizeOf(shape.slice(2));
  const grouped: Shape = [samples, groups, channels / groups];
  const perGroup = [samples, groups, 1];
  const r = w.reshape(rstd!, perGroup);
  const gamma = w.reshape(scale!, [1, groups, channels / groups]);
  const centre = centred(w, x!, mean!, shape, groups);

  const sumDy = w.reshape(sumRows(w, dy!, samples * channels, voxels), grouped);
  const sumDyX = w.node('Mul', [w.reshape(sumProduct(w, dy!, centre, samples * channels, voxels), grouped), r]);
  const overGroup = (value: string): string =>
    w.node('ReduceSum', [w.node('Mul', [value, gamma]), w.ints([2])], { keepdims: 1 });
  const factor = w.node('Mul', [r, w.scalar(-groups / (channels * voxels))]);
  const ones = new Array<number>(channels / groups).fill(1);
  const spread = (value: string): string =>
    w.reshape(w.node('Mul', [value, w.floats(ones, [1, 1, ones.length])]), [samples, channels]);
  const slope = spread(w.node('Mul', [w.node('Mul', [overGroup(sumDyX), r]), factor]));
  const offset = spread(w.node('Mul', [overGroup(sumDy), factor]));
  const direct = channelAffine(w, dy!, groupTimesChannel(w, rstd!, scale!, shape, groups), undefined, shape);
  const dx = w.node('Add', [direct, channelAffine(w, centre, slope, offset, shape)]);
  const overSamples = (value: string): string =>
    w.reshape(samples === 1 ? value : w.node('ReduceSum', [value, w.ints([0])], { keepdims: 0 }), [channels]);
  return [dx, overSamples(sumDyX), overSamples(sumDy)];
}
