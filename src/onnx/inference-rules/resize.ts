import type { ResizeOps } from '../../graph/ops/resize';
import type { FreeRules } from './rule';

export const resizeFree: FreeRules<keyof ResizeOps> = {
  Resize: (w, { attrs }, [x]) => {
    const linear = attrs.alignCorners ? 'align_corners' : 'half_pixel';
    const attributes =
      attrs.mode === 'linear'
        ? { mode: 'linear', coordinate_transformation_mode: linear }
        : { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    if ('scale' in attrs) return w.node('Resize', [x!, '', w.floats([1, 1, ...attrs.scale])], attributes);
    const outer = w.node('Slice', [w.node('Shape', [x!]), w.ints([0]), w.ints([2])]);
    const sizes = w.node('Concat', [outer, w.ints(attrs.size)], { axis: 0 });
    return w.node('Resize', [x!, '', '', sizes], attributes);
  },
  UpsampleLinear: (w, { inputs }, [x]) => {
    const scales = w.floats(inputs[0]!.shape.map((_, i) => (i < 2 ? 1 : 2)));
    return w.node('Resize', [x!, '', scales], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' });
  },
};
