import type { ElementwiseOps } from '../../graph/ops/elementwise';
import { directly, type FreeRules } from './rule';

export const elementwiseFree: FreeRules<keyof ElementwiseOps> = {
  Add: directly('Add'),
  Relu: directly('Relu'),
  Sigmoid: directly('Sigmoid'),
};
