/**
 * Convolution and its input gradient. The runtime's ConvTranspose is slow, so an input gradient is a Conv with turned
 * weights wherever that can be said.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { ConvAttrs } from '../graph/ops/conv';
import { type Shape, sizeOf } from '../tensor/tensor';
import { blockedConv, suitsBlocks } from './lower-blocked-conv';
import { convIsStable } from './partition';
import type { OnnxWriter } from './writer';

const isSame = (kernel: readonly number[], stride: readonly number[], padding: readonly number[]): boolean =>
  stride.every((s) => s === 1) && kernel.every((k, i) => 2 * padding[i]! === k - 1);

export function lowerConv(w: OnnxWriter, node: NodeOf<'Conv'>, [x, weight]: readonly string[]): readonly string[] {
  const { stride, padding } = node.attrs;
  const [shape, weightShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const kernel = weightShape.slice(2);
  if (isSame(kernel, stride, padding) && suitsBlocks(w, shape, weightShape[1]!, weightShape[0]!, kernel)) {
    return [blockedConv(w, { x: x!, shape, weight: weight!, weightShape, turned: false })];
  }
  const conv = { x: x!, shape, weight: weight!, weightShape, positions: sizeOf(node.outputs[0]!.shape.slice(2)) };
  return [plainConv(w, conv, { strides: stride, pads: [...padding, ...padding] })];
}

interface PlainConv {
  readonly x: string;
  readonly shape: Shape;
  readonly weight: string;
  readonly weightShape: Shape;
  /** Voxels of the output. */
  readonly positions: number;
}

/**
 * Conv, in a form whose bits do not depend on the number of threads: where they would, its output channels are computed
 * as two groups over two copies of the input, each by one thread.
 */
export function plainConv(
  w: OnnxWriter,
  conv: PlainConv,
  attributes: Readonly<Record<string, readonly number[]>>,
): string {
  const { x, shape, weight, weightShape, positions } = conv;
  const [outs, ins] = [weightShape[0]!, weightShape[1]!];
  const kernel = weightShape.slice(2);
  const pointwise = kernel.every((k) => k === 1);
  const all = { ...attributes, kernel_shape: kernel };
  const threaded = w.target.device === undefined;
  if (!threaded || shape[0]! > 1 || convIsStable(outs, positions, ins * sizeOf(kernel), pointwise)) {
    return w.node('Conv', [x, weight], all);
  }
  if (outs % 2 === 0) return w.node('Conv', [w.node('Concat', [x, x], { axis: 1 }), weight], { ...all, group: 2 });
  // An odd number of channels: two equal samples, one for each thread.
  return w.slice(w.node('Conv', [w.node('Concat', [x, x], { axis: 0 }), weight], all), [0], [0], [1]);
}

/** Whether {@link lowerConvInputGrad} has a form for it: stride 1, or stride 2 with kernel 3 and padding 1. */
export function hasPlainInputGrad({ stride, padding }: ConvAttrs, kernel: readonly number[]): boolean {
  if (stride.every((s) => s === 1)) return kernel.every((k, i) => padding[i]! < k);
  return stride.every((s) => s === 2) && kernel.every((k) => k === 3) && padding.every((p) => p === 1);
}

export function lowerConvInputGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvInputGrad'>,
  [dy, weight]: readonly string[],
): readonly string[] {
  const { stride, padding } = node.attrs;
  const [shape, weightShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const kernel = weightShape.slice(2);
  if (isSame(kernel, stride, padding) && suitsBlocks(w, shape, weightShape[0]!, weightShape[1]!, kernel)) {
    return [blockedConv(w, { x: dy!, shape, weight: weight!, weightShape, turned: true })];
  }
  const turnedPadding = kernel.map((k, i) => k - 1 - padding[i]!);
  if (stride.every((s) => s === 1)) {
    const turned = turnedWeight(w, weight!, weightShape);
    const turnedShape = [weightShape[1]!, weightShape[0]!, ...kernel];
    const positions = sizeOf(node.outputs[0]!.shape.slice(2));
    const conv = { x: dy!, shape, weight: turned, weightShape: turnedShape, positions };
    return [plainConv(w, conv, { pads: [...turnedPadding, ...turnedPadding] })];
  }
  return [doubledGradient(w, node, dy!, weight!)];
}

/** The weight with input and output channels exchanged and every spatial axis reversed: `[I, O, ...kernel]`. */
function turnedWeight(w: OnnxWriter, weight: string, shape: Shape): string {
  const [outs, ins] = [shape[0]!, shape[1]!];
  const taps = sizeOf(shape.slice(2));
  const exchanged = w.transpose(w.reshape(weight, [outs, ins, taps]), [1, 0, 2]);
  // All spatial axes reversed at once: the flat run of taps read backwards.
  const turned = taps === 1 ? exchanged : w.slice(exchanged, [2], [-1], [-taps - 1], [-1]);
  return w.reshape(turned, [ins, outs, ...shape.slice(2)]);
}

/**
 * The gradient of a convolution with stride 2, kernel 3 and padding 1. An even position 2q of x was met by tap 1 of
 * output q; an odd one, 2q + 1, by tap 2 of output q and tap 0 of output q + 1. So both parities, along each axis, are
 * convolutions of dy with kernel 2: computed as channels of one convolution, and interleaved.
 */
function doubledGradient(w: OnnxWriter, node: NodeOf<'ConvInputGrad'>, dy: string, weight: string): string {
  const [shape, weightShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const { spatial } = node.attrs;
  const rank = spatial.length;
  const axes = spatial.map((_, i) => i);
  const [outs, ins] = [weightShape[0]!, weightShape[1]!];
  const twos = axes.map(() => 2);
  const spread = w.node('MatMul', [w.reshape(weight, [outs * ins, 3 ** rank]), parityTaps(w, rank)]);
  // [O, I, parity and tap per axis] → [I, parities, O, taps].
  const order = [1, ...axes.map((i) => 2 + 2 * i), 0, ...axes.map((i) => 3 + 2 * i)];
  const kernels = w.transpose(w.reshape(spread, [outs, ins, ...twos, ...twos]), order);
  const small = shape.slice(2);
  const turnedShape = [ins * 2 ** rank, outs, ...twos];
  const turned = w.reshape(kernels, turnedShape);
  const conv = { x: dy, shape, weight: turned, weightShape: turnedShape, positions: sizeOf(small) };
  const parities = plainConv(w, conv, { pads: [...axes.map(() => 0), ...axes.map(() => 1)] });
  // [N, I, parities, positions] → [N, I, position and parity per axis].
  const interleave = [0, 1, ...axes.flatMap((i) => [2 + rank + i, 2 + i])];
  const mixed = w.transpose(w.reshape(parities, [shape[0]!, ins, ...twos, ...small]), interleave);
  const doubled = w.reshape(mixed, [shape[0]!, ins, ...small.map((n) => 2 * n)]);
  const odd = axes.filter((i) => spatial[i]! % 2 === 1);
  if (odd.length === 0) return doubled;
  return w.slice(
    doubled,
    odd.map((i) => i + 2),
    odd.map(() => 0),
    odd.map((i) => spatial[i]!),
  );
}

/** `[3ʳ, (parity, tap)ʳ]`: which of the three taps stands at each parity and tap, per axis, as zeros and ones. */
function parityTaps(w: OnnxWriter, rank: number): string {
  // Even positions: tap 1, then nothing. Odd ones: tap 2, then tap 0.
  const columns = [1, -1, 2, 0];
  const matrix = new Float32Array(3 ** rank * 4 ** rank);
  for (let column = 0; column < 4 ** rank; column++) {
    let [row, rest, step] = [0, column, 1];
    for (let axis = 0; axis < rank && row >= 0; axis++) {
      const tap = columns[rest % 4]!;
      row = tap < 0 ? -1 : row + tap * step;
      rest = Math.floor(rest / 4);
      step *= 3;
    }
    if (row >= 0) matrix[row * 4 ** rank + column] = 1;
  }
  return w.floats(matrix, [3 ** rank, 4 ** rank]);
}
