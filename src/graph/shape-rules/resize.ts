import type { ResizeOps } from '../ops/resize';
import { ensure, type ShapeRules } from './rule';

export const resizeShapes: ShapeRules<keyof ResizeOps> = {
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
