import type { ResizeOps } from '../../graph/ops/resize';
import type { FreeRules } from './rule';

export const resizeFree: FreeRules<keyof ResizeOps> = {
  UpsampleLinear: (w, { inputs }, [x]) => {
    const scales = w.floats(inputs[0]!.shape.map((_, i) => (i < 2 ? 1 : 2)));
    return w.node('Resize', [x!, '', scales], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' });
  },
};
