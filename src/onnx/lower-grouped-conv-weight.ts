/**
 * The weight gradient of a convolution in groups.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { kernelTaps, weightGrad } from './lower-conv-weight';
import { MAX_THREADS } from './partition';
import type { OnnxWriter } from './writer';

/** Bytes that the shifted copies of one product may take. */
const COPIES_BYTES = 64 * 2 ** 20;

export function lowerGroupedConvWeightGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvWeightGrad'>,
  [x, dy]: readonly string[],
): readonly string[] {
  const shapes = { x: node.inputs[0]!.shape, dy: node.inputs[1]!.shape };
  return [node.attrs.groups < MAX_THREADS ? fewGroups(w, node, x!, dy!, shapes) : manyGroups(w, node, x!, dy!, shapes)];
}

interface Shapes {
  readonly x: Shape;
  readonly dy: Shape;
}

/** Each group as a convolution of its own. */
function fewGroups(w: OnnxWriter, node: NodeOf<'ConvWeightGrad'>, x: string, dy: string, shapes: Shapes): string {
  const { groups } = node.attrs;
  const share = (shape: Shape): Shape => [shape[0]!, shape[1]! / groups, ...shape.slice(2)];
  const parts = (value: string): readonly string[] =>
    groups === 1
      ? [value]
      : w.nodeAll('Split', [value], { attributes: { axis: 1, num_outputs: groups }, outputs: groups });
  const factors = { ...node.attrs, xShape: share(shapes.x), dyShape: share(shapes.dy) };
  const dys = parts(dy);
  const gradients = parts(x).map((part, i) => weightGrad(w, factors, part, dys[i]!));
  return groups === 1 ? gradients[0]! : w.node('Concat', gradients, { axis: 0 });
}

/**
 * Shifted copies of x times dy, for all groups as one batch of matrix products over the positions. As there are at least
 * as many groups as threads, a product is never shared out among threads, and its bits do not depend on them.
 */
function manyGroups(w: OnnxWriter, node: NodeOf<'ConvWeightGrad'>, x: string, dy: string, shapes: Shapes): string {
  const { groups, kernel, padding, stride, dilation } = node.attrs;
  const [samples, channels, ...spatial] = shapes.x as [number, number, ...number[]];
  const [outs, ins] = [shapes.dy[1]! / groups, channels / groups];
  const out = shapes.dy.slice(2);
  const [batch, positions] = [samples * groups, sizeOf(out)];
  const pads = [0, 0, ...padding];
  const wide = padding.some((p) => p > 0) ? w.node('Pad', [x, w.ints([...pads, ...pads])]) : x;
  const apart = w.reshape(wide, [batch, ins, ...spatial.map((n, i) => n + 2 * padding[i]!)]);
  const axes = out.map((_, i) => 2 + i);
  const shifted = (tap: readonly number[]): string => {
    const from = tap.map((t, i) => t * dilation[i]!);
    const to = from.map((f, i) => f + (out[i]! - 1) * stride[i]! + 1);
    return w.reshape(w.slice(apart, axes, from, to, stride), [batch, ins, positions]);
  };
  const rows = w.reshape(dy, [batch, outs, positions]);
  const columns = outs === 1 ? w.reshape(dy, [batch, positions, 1]) : w.transpose(rows, [0, 2, 1]);
  const products = runsOfTaps(kernel, 4 * batch * ins * positions).map((run) => {
    const copies = run.map(shifted);
    const stacked = copies.length === 1 ? copies[0]! : w.node('Concat', copies, { axis: 1 });
    return w.node('MatMul', [stacked, columns]);
  });
  // [N, groups, taps, I, O] → the sum over samples, [groups, O, I, taps].
  const all = products.length === 1 ? products[0]! : w.node('Concat', products, { axis: 1 });
  const apartAgain = w.reshape(all, [samples, groups * sizeOf(kernel) * ins * outs]);
  const sum = samples === 1 ? apartAgain : w.node('ReduceSum', [apartAgain, w.ints([0])], { keepdims: 0 });
  const laidOut = w.transpose(w.reshape(sum, [groups, sizeOf(kernel), ins, outs]), [0, 3, 2, 1]);
  return w.reshape(laidOut, [groups * outs, ins, ...kernel]);
}

/** The taps in runs whose copies of `bytes` each stay bounded; at least a row of taps, as single ones are slow. */
function runsOfTaps(kernel: readonly number[], bytes: number): readonly (readonly (readonly number[])[])[] {
  const all = kernelTaps(kernel);
  const run = Math.max(kernel.at(-1)!, Math.floor(COPIES_BYTES / bytes));
  return Array.from({ length: Math.ceil(all.length / run) }, (_, i) => all.slice(i * run, (i + 1) * run));
}
