import type { LinearOps } from '../../graph/ops/linear';
import { lowerMatMul } from '../lower-matmul';
import type { OnnxRules } from './rule';

export const linearRules: OnnxRules<keyof LinearOps> = {
  MatMul: lowerMatMul,
};
