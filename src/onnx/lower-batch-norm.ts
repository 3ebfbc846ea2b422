/**
 * Batch normalisation by the statistics of the batch. Those are computed in two passes; what follows is x·a + b with
 * numbers a, b per channel, for which the runtime's inference operator is the fastest form.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { sumProduct, sumRows } from './lower-sums';
import type { OnnxWriter } from './writer';

/** The mean over samples and positions, `[C]`, of what `sumOverRows` sums over each channel of each sample. */
function channelMean(w: OnnxWriter, sums: string, shape: Shape): string {
  const size = sizeOf(shape) / shape[1]!;
  return w.node('Mul', [overSamples(w, sums, shape), w.scalar(1 / size)]);
}

/** `[C]` from `[N·C, 1]`. */
function overSamples(w: OnnxWriter, sums: string, [samples, channels]: Shape): string {
  if (samples === 1) return w.reshape(sums, [channels!]);
  return w.node('ReduceSum', [w.reshape(sums, [samples!, channels!]), w.ints([0])], { keepdims: 0 });
}

function centred(w: OnnxWriter, x: string, mean: string, shape: Shape): string {
  return w.node('Sub', [x, w.reshape(mean, [1, shape[1]!, ...shape.slice(2).map(() => 1)])]);
}

/** x·scale + shift, per channel. */
function affine(w: OnnxWriter, x: string, scale: string, shift: string, channels: number): string {
  const [zeros, ones] = [0, 1].map((value) => w.floats(new Array<number>(channels).fill(value)));
  return w.node('BatchNormalization', [x, scale, shift, zeros!, ones!], { epsilon: { float: 0 } });
}

function inverseDeviation(w: OnnxWriter, variance: string, epsilon: number): string {
  return w.node('Reciprocal', [w.node('Sqrt', [w.node('Add', [variance, w.scalar(epsilon)])])]);
}

export function lowerBatchNorm(
  w: OnnxWriter,
  { inputs, attrs }: NodeOf<'BatchNorm'>,
  [x, scale, shift]: readonly string[],
): readonly string[] {
  const { shape } = inputs[0]!;
  const [rows, size] = [shape[0]! * shape[1]!, sizeOf(shape.slice(2))];
  const mean = channelMean(w, sumRows(w, x!, rows, size), shape);
  const centre = centred(w, x!, mean, shape);
  const variance = channelMean(w, sumProduct(w, centre, centre, rows, size), shape);
  const factor = w.node('Mul', [scale!, inverseDeviation(w, variance, attrs.epsilon)]);
  return [affine(w, centre, factor, shift!, shape[1]!), mean, variance];
}

/**
 * With c = x − mean, r = 1/√(variance + ε) and sums over samples and positions: dβ = Σ dy, dγ = r·Σ dy·c, and
 * dx = γr·dy − (γr²/n)·dγ·c − (γr/n)·dβ: terms with one factor per channel each.
 */
export function lowerBatchNormGrad(
  w: OnnxWriter,
  { inputs, attrs }: NodeOf<'BatchNormGrad'>,
  [dy, x, scale, mean, variance]: readonly string[],
): readonly string[] {
  const { shape } = inputs[0]!;
  const [rows, size] = [shape[0]! * shape[1]!, sizeOf(shape.slice(2))];
  const r = inverseDeviation(w, variance!, attrs.epsilon);
  const centre = centred(w, x!, mean!, shape);
  const dShift = overSamples(w, sumRows(w, dy!, rows, size), shape);
  const dScale = w.node('Mul', [r, overSamples(w, sumProduct(w, dy!, centre, rows, size), shape)]);
  const direct = w.node('Mul', [scale!, r]);
  const share = w.node('Mul', [direct, w.scalar(-shape[1]! / sizeOf(shape))]);
  const slope = w.node('Mul', [w.node('Mul', [share, r]), dScale]);
  const offset = w.node('Mul', [share, dShift]);
  const scaled = w.node('Mul', [dy!, w.reshape(direct, [1, shape[1]!, ...shape.slice(2).map(() => 1)])]);
  return [w.node('Add', [scaled, affine(w, centre, slope, offset, shape[1]!)]), dScale, dShift];
}
