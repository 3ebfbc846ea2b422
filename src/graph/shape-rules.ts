/**
 * The shapes of each operator's outputs, from those of its inputs.
 *
 * @module
 */
import { ShapeError } from '../errors';
import { type Shape, sameShape, sizeOf } from '../tensor/tensor';
import type { ConvAttrs, Op, Ops } from './ops';

type ShapeRule<K extends Op> = (shapes: readonly Shape[], attrs: Ops[K]) => readonly Shape[];

function ensure(condition: boolean, op: string, rule: string, shapes: readonly Shape[]): void {
  if (condition) return;
  throw new ShapeError(`${op}: ${rule}, but the inputs have shapes ${shapes.map((s) => `[${s}]`).join(', ')}.`);
}

/** NumPy's broadcasting of two shapes. @throws ShapeError when they do not go together. */
export function broadcastShapes(a: Shape, b: Shape, op = 'broadcast'): Shape {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    ensure(x === y || x === 1 || y === 1, op, 'lengths must be equal or 1 along each axis', [a, b]);
    result.push(x === 1 ? y : x);
  }
  return result;
}

/** Output length of a convolution along one axis. */
export function convLength(length: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - kernel) / stride) + 1;
}

const broadcast =
  (op: Op) =>
  (shapes: readonly Shape[]): readonly Shape[] => [broadcastShapes(shapes[0]!, shapes[1]!, op)];

const same = (shapes: readonly Shape[]): readonly Shape[] => [shapes[0]!];

const reduced = (shape: Shape, axes: readonly number[]): Shape => shape.map((n, i) => (axes.includes(i) ? 1 : n));

function requireAxes(op: Op, shape: Shape, axes: readonly number[]): void {
  const known = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < shape.length);
  ensure(known && new Set(axes).size === axes.length, op, `axes [${axes}] must be distinct axes of the input`, [shape]);
}

function requireConvAttrs(op: Op, rank: number, { stride, padding }: ConvAttrs, shapes: readonly Shape[]): void {
  ensure(rank >= 1 && rank <= 3, op, 'one to three spatial axes are expected', shapes);
  ensure(
    stride.length === rank && stride.every((s) => Number.isInteger(s) && s >= 1),
    op,
    `stride [${stride}] must give a positive step for each of ${rank} spatial axes`,
    shapes,
  );
  ensure(
    padding.length === rank && padding.every((p) => Number.isInteger(p) && p >= 0),
    op,
    `padding [${padding}] must give a count for each of ${rank} spatial axes`,
    shapes,
  );
}

function convShape(op: Op, x: Shape, w: Shape, attrs: ConvAttrs): Shape {
  const rank = x.length - 2;
  ensure(w.length === x.length, op, 'input and weight must have the same number of axes', [x, w]);
  ensure(w[1] === x[1], op, 'the weight must have as many input channels (axis 1) as the input', [x, w]);
  requireConvAttrs(op, rank, attrs, [x, w]);
  const spatial = x.slice(2).map((n, i) => convLength(n, w[i + 2]!, attrs.stride[i]!, attrs.padding[i]!));
  ensure(
    spatial.every((n) => n >= 1),
    op,
    'the kernel must not be larger than the padded input',
    [x, w],
  );
  return [x[0]!, w[0]!, ...spatial];
}

function groupNormShapes(x: Shape, scale: Shape, shift: Shape, groups: number): readonly Shape[] {
  ensure(x.length >= 3, 'GroupNorm', 'an input [N, C, ...spatial] is expected', [x]);
  ensure(x[1]! % groups === 0, 'GroupNorm', `${groups} groups must divide the channels (axis 1)`, [x]);
  const perChannel = [x[1]!];
  ensure(
    sameShape(scale, perChannel) && sameShape(shift, perChannel),
    'GroupNorm',
    'scale and shift must have one element per channel',
    [x, scale, shift],
  );
  return [x, [x[0]!, groups], [x[0]!, groups]];
}

export const shapeRules: { readonly [K in Op]: ShapeRule<K> } = {
  Constant: (_, { shape, values }) => {
    ensure(sizeOf(shape) === values.length, 'Constant', `${values.length} values must fill the shape`, [shape]);
    return [shape];
  },
  Add: broadcast('Add'),
  Sub: broadcast('Sub'),
  Mul: broadcast('Mul'),
  Div: broadcast('Div'),
  Neg: same,
  Sqrt: same,
  Sigmoid: same,
  Relu: same,
  ReluGrad: (shapes) => {
    ensure(sameShape(shapes[0]!, shapes[1]!), 'ReluGrad', 'both inputs must have one shape', shapes);
    return [shapes[0]!];
  },
  ReduceSum: ([x], { axes }) => {
    requireAxes('ReduceSum', x!, axes);
    return [reduced(x!, axes)];
  },
  SumProduct: ([a, b], { axes }) => {
    ensure(sameShape(a!, b!), 'SumProduct', 'both inputs must have one shape', [a!, b!]);
    requireAxes('SumProduct', a!, axes);
    return [reduced(a!, axes)];
  },
  Reshape: ([x], { shape }) => {
    ensure(sizeOf(x!) === sizeOf(shape), 'Reshape', `the size must stay the same under [${shape}]`, [x!]);
    return [shape];
  },
  Expand: ([x], { shape }) => {
    ensure(sameShape(broadcastShapes(x!, shape, 'Expand'), shape), 'Expand', `must broadcast to [${shape}]`, [x!]);
    return [shape];
  },
  Transpose: ([x], { order }) => {
    requireAxes('Transpose', x!, order);
    ensure(order.length === x!.length, 'Transpose', `order [${order}] must name every axis`, [x!]);
    return [order.map((axis) => x![axis]!)];
  },
  Conv: ([x, w], attrs) => [convShape('Conv', x!, w!, attrs)],
  ConvInputGrad: ([dy, w], attrs) => {
    const x = [dy![0]!, w![1]!, ...attrs.spatial];
    const expected = convShape('ConvInputGrad', x, w!, attrs);
    ensure(sameShape(expected, dy!), 'ConvInputGrad', `the output gradient must be [${expected}]`, [dy!, w!]);
    return [x];
  },
  ConvWeightGrad: ([x, dy], attrs) => {
    const w = [dy![1]!, x![1]!, ...attrs.kernel];
    const expected = convShape('ConvWeightGrad', x!, w, attrs);
    ensure(sameShape(expected, dy!), 'ConvWeightGrad', `the output gradient must be [${expected}]`, [x!, dy!]);
    return [w];
  },
  GroupNorm: ([x, scale, shift], { groups }) => groupNormShapes(x!, scale!, shift!, groups),
  GroupNormGrad: ([dy, x, scale, mean, rstd], { groups }) => {
    const [y, moment] = groupNormShapes(x!, scale!, scale!, groups);
    const fits = sameShape(y!, dy!) && sameShape(moment!, mean!) && sameShape(moment!, rstd!);
    ensure(fits, 'GroupNormGrad', 'gradient, mean and rstd must have the shapes of GroupNorm', [dy!, x!, mean!, rstd!]);
    return [x!, scale!, scale!];
  },
  UpsampleLinear: ([x]) => {
    ensure(x!.length >= 3 && x!.length <= 5, 'UpsampleLinear', 'one to three spatial axes are expected', [x!]);
    return [x!.map((n, i) => (i < 2 ? n : 2 * n))];
  },
  UpsampleLinearGrad: ([dy]) => {
    ensure(dy!.length >= 3 && dy!.length <= 5, 'UpsampleLinearGrad', 'one to three spatial axes are expected', [dy!]);
    ensure(
      dy!.every((n, i) => i < 2 || n % 2 === 0),
      'UpsampleLinearGrad',
      'spatial lengths must be even',
      [dy!],
    );
    return [dy!.map((n, i) => (i < 2 ? n : n / 2))];
  },
};
