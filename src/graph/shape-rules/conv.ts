import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { ConvAttrs, ConvOps } from '../ops/conv';
import { ensure, type ShapeRules } from './rule';

/** Output length of a convolution along one axis. */
function convLength(length: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - kernel) / stride) + 1;
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

export const convShapes: ShapeRules<keyof ConvOps> = {
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
};
