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
 * For each tap, the products of all groups as one batch of matrix products over the positions. As there are at least as
 * many groups as threads, a product is never shared out among threads, and its bits do not depend on them.
 */
function manyGroups(w: OnnxWriter, node: NodeOf<'ConvWeightGrad'>, x: string, dy: string, shapes: Shapes): string {
  const { groups, kernel, padding, stride, dilation } = node.attrs;
  const [samples, channels, ...spatial] = shapes.x as [number, number, ...number[]];
  const [outs, ins] = [shapes.dy[1]! / groups, channels / groups];
  const out = shapes.dy.slice(2);
  const pads = [0, 0, ...padding];
  const wide = padding.some((p) => p > 0) ? w.node('Pad', [x, w.ints([...pads, ...pads])]) : x;
  const lengths = spatial.map((n, i) => n + 2 * padding[i]!);
  const apart = w.reshape(wide, [samples * groups, ins, ...lengths]);
  const rank = kernel.length;
  const channelsLast =
    ins === 1 ? w.reshape(wide, [samples * groups, ...lengths, 1]) : w.transpose(apart, lastAxis(rank));
  const rows = w.reshape(dy, [samples * groups, outs, sizeOf(out)]);
  const axes = out.map((_, i) => 1 + i);
  const products = kernelTaps(kernel).map((tap) => {
    const from = tap.map((t, i) => t * dilation[i]!);
    const to = from.map((f, i) => f + (out[i]! - 1) * stride[i]! + 1);
    const seen = w.slice(channelsLast, axes, from, to, stride);
    return w.node('MatMul', [rows, w.reshape(seen, [samples * groups, sizeOf(out), ins])]);
  });
  const size = outs * ins;
  const all = w.node(
    'Concat',
    products.map((product) => w.reshape(product, [samples, groups * size, 1])),
    { axis: 2 },
  );
  const sum = samples === 1 ? all : w.node('ReduceSum', [all, w.ints([0])], { keepdims: 0 });
  return w.reshape(sum, [groups * outs, ins, ...kernel]);
}

/** The order that puts axis 1 behind `rank` others. */
const lastAxis = (rank: number): readonly number[] => [0, ...Array.from({ length: rank }, (_, i) => i + 2), 1];
