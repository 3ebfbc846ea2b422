import type { PoolOps } from '../../graph/ops/pool';
import { lowerAveragePoolGrad, lowerMaxPoolGrad, windows } from '../lower-pool';
import type { OnnxRules } from './rule';

export const poolRules: OnnxRules<keyof PoolOps> = {
  MaxPool: (w, { attrs }, [x]) => [w.node('MaxPool', [x!], windows(attrs))],
  MaxPoolGrad: lowerMaxPoolGrad,
  AveragePool: (w, { attrs }, [x]) => [
    w.node('AveragePool', [x!], { ...windows(attrs), count_include_pad: attrs.countIncludePad ? 1 : 0 }),
  ],
  AveragePoolGrad: lowerAveragePoolGrad,
};
