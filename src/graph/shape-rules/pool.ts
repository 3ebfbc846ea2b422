import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { PoolAttrs, PoolOps } from '../ops/pool';
import { windowLength } from '../windows';
import { ensure, type ShapeRules } from './rule';
import { requirePerAxis, requireSpatial } from './spatial';

function poolShape(op: Op, x: Shape, { kernel, stride, padding }: PoolAttrs): Shape {
  requireSpatial(op, x);
  requirePerAxis(op, 'kernel', kernel, 1, x);
  requirePerAxis(op, 'stride', stride, 1, x);
  requirePerAxis(op, 'padding', padding, 0, x);
  // More would let windows stand on padding alone.
  const half = padding.every((p, i) => 2 * p <= kernel[i]!);
  ensure(half, op, `padding [${padding}] must be at most half of the kernel [${kernel}]`, [x]);
  const spatial = x.slice(2).map((n, i) => windowLength(n, kernel[i]!, stride[i]!, padding[i]!));
  const fits = spatial.every((n) => n >= 1);
  ensure(fits, op, `the kernel [${kernel}] must not be larger than the padded input`, [x]);
  return [x[0]!, x[1]!, ...spatial];
}

export const poolShapes: ShapeRules<keyof PoolOps> = {
  MaxPool: ([x], attrs) => [poolShape('MaxPool', x!, attrs)],
  MaxPoolGrad: ([dy, x], attrs) => {
    const expected = poolShape('MaxPoolGrad', x!, attrs);
    ensure(sameShape(expected, dy!), 'MaxPoolGrad', `the output gradient must be [${expected}]`, [dy!, x!]);
    return [x!];
  },
  AveragePool: ([x], attrs) => [poolShape('AveragePool', x!, attrs)],
  AveragePoolGrad: ([dy], attrs) => {
    const x = [...dy!.slice(0, 2), ...attrs.spatial];
    const expected = poolShape('AveragePoolGrad', x, attrs);
    ensure(sameShape(expected, dy!), 'AveragePoolGrad', `the output gradient must be [${expected}]`, [dy!]);
    return [x];
  },
  GlobalAveragePool: ([x]) => {
    requireSpatial('GlobalAveragePool', x!);
    return [x!.map((n, i) => (i < 2 ? n : 1))];
  },
};
