import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { ConvAttrs, ConvOps } from '../ops/conv';
import { windowLength } from '../windows';
import { ensure, type ShapeRules } from './rule';
import { requirePerAxis, requireSpatial } from './spatial';

function requireConvAttrs(op: Op, attrs: ConvAttrs, x: Shape, w: Shape): void {
  const { stride, padding, dilation, groups } = attrs;
  requirePerAxis(op, 'stride', stride, 1, x, [x, w]);
  requirePerAxis(op, 'padding', padding, 0, x, [x, w]);
  requirePerAxis(op, 'dilation', dilation, 1, x, [x, w]);
  const divides = Number.isInteger(groups) && groups >= 1 && x[1]! % groups === 0 && w[0]! % groups === 0;
  ensure(divides, op, `groups (${groups}) must divide the input's and the weight's channels`, [x, w]);
}

function convShape(op: Op, x: Shape, w: Shape, attrs: ConvAttrs): Shape {
  requireSpatial(op, x, [x, w]);
  ensure(w.length === x.length, op, 'input and weight must have the same number of axes', [x, w]);
  requireConvAttrs(op, attrs, x, w);
  const { stride, padding, dilation, groups } = attrs;
  const share = groups === 1 ? '' : ` shared out among ${groups} groups`;
  ensure(w[1]! * groups === x[1], op, `the weight must have as many input channels (axis 1) as the input${share}`, [
    x,
    w,
  ]);
  const spatial = x.slice(2).map((n, i) => windowLength(n, w[i + 2]!, stride[i]!, padding[i]!, dilation[i]!));
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
    const x = [dy![0]!, w![1]! * attrs.groups, ...attrs.spatial];
    ensure(
      attrs.spatial.every((n) => n >= 1),
      'ConvInputGrad',
      `the enlarged lengths [${attrs.spatial}] must be at least 1`,
      [dy!, w!],
    );
    const expected = convShape('ConvInputGrad', x, w!, attrs);
    ensure(sameShape(expected, dy!), 'ConvInputGrad', `the output gradient must be [${expected}]`, [dy!, w!]);
    return [x];
  },
  ConvWeightGrad: ([x, dy], attrs) => {
    const w = [dy![1]!, x![1]! / attrs.groups, ...attrs.kernel];
    const expected = convShape('ConvWeightGrad', x!, w, attrs);
    ensure(sameShape(expected, dy!), 'ConvWeightGrad', `the output gradient must be [${expected}]`, [x!, dy!]);
    return [w];
  },
};
