import { sizeOf } from '../../tensor/tensor';
import type { PoolOps } from '../ops/pool';
import type { VjpRules } from './rule';

export const poolVjps: VjpRules<keyof PoolOps> = {
  MaxPool: (b, g, { inputs: [x], attrs }) => [b.emit('MaxPoolGrad', [g, x!], attrs)],
  MaxPoolGrad: { notDifferentiable: 'a gradient itself: nothing here differentiates twice' },
  AveragePool: (b, g, { inputs: [x], attrs }) => [
    b.emit('AveragePoolGrad', [g], { ...attrs, spatial: x!.shape.slice(2) }),
  ],
  AveragePoolGrad: (b, g, { attrs: { spatial: _, ...attrs } }) => [b.emit('AveragePool', [g], attrs)],
  GlobalAveragePool: (b, g, { inputs: [x] }) => [b.expand(b.scale(g, 1 / sizeOf(x!.shape.slice(2))), x!.shape)],
};
