import { type Shape, sameShape } from '../../tensor/tensor';
import { resizedLengths } from '../interpolation';
import type { Op } from '../ops';
import type { ResizeAttrs, ResizeOps } from '../ops/resize';
import { ensure, type ShapeRules } from './rule';
import { requirePerAxis, requireSpatial } from './spatial';

function resizeShape(op: Op, x: Shape, attrs: ResizeAttrs): Shape {
  requireSpatial(op, x);
  const cornered = !attrs.alignCorners || attrs.mode === 'linear';
  ensure(cornered, op, 'aligned corners are for linear interpolation only', [x]);
  if ('size' in attrs) requirePerAxis(op, 'size', attrs.size, 1, x);
  else {
    const { scale } = attrs;
    const fits = scale.length === x.length - 2 && scale.every((s) => s > 0 && Number.isFinite(s));
    ensure(fits, op, `scale [${scale}] must give a positive number for each of ${x.length - 2} spatial axes`, [x]);
  }
  const spatial = resizedLengths(x.slice(2), attrs);
  const some = spatial.every((n) => n >= 1);
  ensure(some, op, `the result [${spatial}] must have at least one voxel along each axis`, [x]);
  return [x[0]!, x[1]!, ...spatial];
}

export const resizeShapes: ShapeRules<keyof ResizeOps> = {
  Resize: ([x], attrs) => [resizeShape('Resize', x!, attrs)],
  ResizeGrad: ([dy], attrs) => {
    const x = [...dy!.slice(0, 2), ...attrs.spatial];
    const expected = resizeShape('ResizeGrad', x, attrs);
    ensure(sameShape(expected, dy!), 'ResizeGrad', `the output gradient must be [${expected}]`, [dy!]);
    return [x];
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
