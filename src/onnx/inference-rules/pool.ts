import type { PoolOps } from '../../graph/ops/pool';
import { windows } from '../lower-pool';
import { directly, type FreeRules } from './rule';

export const poolFree: FreeRules<keyof PoolOps> = {
  MaxPool: (w, { attrs }, [x]) => w.node('MaxPool', [x!], windows(attrs)),
  AveragePool: (w, { attrs }, [x]) =>
    w.node('AveragePool', [x!], { ...windows(attrs), count_include_pad: attrs.countIncludePad ? 1 : 0 }),
  GlobalAveragePool: directly('GlobalAveragePool'),
};
