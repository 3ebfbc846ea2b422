import type { PoolOps } from '../../graph/ops/pool';
import { sizeOf } from '../../tensor/tensor';
import { lowerAveragePoolGrad, lowerMaxPoolGrad, windows } from '../lower-pool';
import { sumRows } from '../lower-sums';
import type { OnnxRules } from './rule';

export const poolRules: OnnxRules<keyof PoolOps> = {
  MaxPool: (w, { attrs }, [x]) => [w.node('MaxPool', [x!], windows(attrs))],
  MaxPoolGrad: lowerMaxPoolGrad,
  AveragePool: (w, { attrs }, [x]) => [
    w.node('AveragePool', [x!], { ...windows(attrs), count_include_pad: attrs.countIncludePad ? 1 : 0 }),
  ],
  AveragePoolGrad: lowerAveragePoolGrad,
  GlobalAveragePool: (w, { inputs: [x], outputs: [y] }, [name]) => {
    const [rows, size] = [sizeOf(y!.shape), sizeOf(x!.shape.slice(2))];
    return [w.reshape(w.node('Mul', [sumRows(w, name!, rows, size), w.scalar(1 / size)]), y!.shape)];
  },
};
