import { type Shape, sameShape, sizeOf } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { LayoutOps, PadAttrs, PixelShuffleAttrs, SliceAttrs } from '../ops/layout';
import { broadcastShapes, ensure, requireAxes, type ShapeRules } from './rule';

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;

function sliceShape(op: Op, x: Shape, { start, end, step }: SliceAttrs): Shape {
  const oneEach = [start, end, step].every((list) => list.length === x.length);
  ensure(oneEach, op, `start [${start}], end [${end}] and step [${step}] must have a number for each axis`, [x]);
  const inside = x.every(
    (n, i) => isCount(start[i]!) && start[i]! < end[i]! && Number.isInteger(end[i]) && end[i]! <= n,
  );
  ensure(inside, op, `start [${start}] and end [${end}] must be a part of the axes that is not empty`, [x]);
  const forward = step.every((s) => Number.isInteger(s) && s >= 1);
  ensure(forward, op, `step [${step}] must be whole and positive`, [x]);
  return x.map((_, i) => Math.ceil((end[i]! - start[i]!) / step[i]!));
}

function padShape(op: Op, x: Shape, { mode, begin, end }: PadAttrs): Shape {
  const oneEach = begin.length === x.length && end.length === x.length && [...begin, ...end].every(isCount);
  ensure(oneEach, op, `begin [${begin}] and end [${end}] must have a count for each axis`, [x]);
  const mirrored = mode !== 'reflect' || x.every((n, i) => begin[i]! < n && end[i]! < n);
  ensure(mirrored, op, `a margin (begin [${begin}], end [${end}]) that reflects must be shorter than the axis`, [x]);
  return x.map((n, i) => begin[i]! + n + end[i]!);
}

function concatShape(shapes: readonly Shape[], axis: number): Shape {
  ensure(shapes.length > 0, 'Concat', 'at least one input is expected', shapes);
  const first = shapes[0]!;
  requireAxes('Concat', first, [axis]);
  const fits = shapes.every((s) => s.length === first.length && s.every((n, i) => i === axis || n === first[i]));
  ensure(fits, 'Concat', `all lengths but those of axis ${axis} must be equal`, shapes);
  return first.map((n, i) => (i === axis ? shapes.reduce((sum, s) => sum + s[axis]!, 0) : n));
}

function pixelShuffleShape([samples, channels, ...spatial]: Shape, { block }: PixelShuffleAttrs): Shape {
  const [places, shape] = [block ** spatial.length, [samples!, channels!, ...spatial]];
  ensure(spatial.length > 0 && isCount(block) && block > 0, 'PixelShuffle', `blocks of ${block} need images`, [shape]);
  ensure(channels! % places === 0, 'PixelShuffle', `channels must be a multiple of ${places}, those of a block`, [
    shape,
  ]);
  return [samples!, channels! / places, ...spatial.map((n) => n * block)];
}

function pixelShuffleGradShape([samples, channels, ...spatial]: Shape, { block }: PixelShuffleAttrs): Shape {
  const whole = spatial.length > 0 && spatial.every((n) => n % block === 0);
  ensure(whole, 'PixelShuffleGrad', `lengths must be multiples of ${block}`, [[samples!, channels!, ...spatial]]);
  return [samples!, channels! * block ** spatial.length, ...spatial.map((n) => n / block)];
}

export const layoutShapes: ShapeRules<keyof LayoutOps> = {
  Constant: (_, { shape, values }) => {
    ensure(sizeOf(shape) === values.length, 'Constant', `${values.length} values must fill the shape`, [shape]);
    return [shape];
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
  Concat: (shapes, { axis }) => [concatShape(shapes, axis)],
  Slice: ([x], attrs) => [sliceShape('Slice', x!, attrs)],
  SliceGrad: ([g], { shape, ...attrs }) => {
    const expected = sliceShape('SliceGrad', shape, attrs);
    ensure(sameShape(expected, g!), 'SliceGrad', `the output gradient must be [${expected}]`, [g!]);
    return [shape];
  },
  Pad: ([x], attrs) => [padShape('Pad', x!, attrs)],
  PadGrad: ([g], attrs) => {
    const x = g!.map((n, i) => n - attrs.begin[i]! - attrs.end[i]!);
    ensure(
      x.every((n) => n >= 1),
      'PadGrad',
      `the margin (begin [${attrs.begin}], end [${attrs.end}]) must leave something`,
      [g!],
    );
    padShape('PadGrad', x, attrs);
    return [x];
  },
  Gather: ([x, indices], { axis }) => {
    requireAxes('Gather', x!, [axis]);
    return [[...x!.slice(0, axis), ...indices!, ...x!.slice(axis + 1)]];
  },
  GatherGrad: ([g, indices], { axis, length }) => {
    const rank = indices!.length;
    const fits = isCount(axis) && axis + rank <= g!.length && sameShape(g!.slice(axis, axis + rank), indices!);
    ensure(fits, 'GatherGrad', `the gradient must have the axes of the indices from axis ${axis} on`, [g!, indices!]);
    return [[...g!.slice(0, axis), length, ...g!.slice(axis + rank)]];
  },
  PixelShuffle: ([x], attrs) => [pixelShuffleShape(x!, attrs)],
  PixelShuffleGrad: ([g], attrs) => [pixelShuffleGradShape(g!, attrs)],
};
