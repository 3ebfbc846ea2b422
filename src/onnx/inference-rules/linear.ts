import type { LinearOps } from '../../graph/ops/linear';
import { directly, type FreeRules } from './rule';

export const linearFree: FreeRules<keyof LinearOps> = {
  MatMul: directly('MatMul'),
};
