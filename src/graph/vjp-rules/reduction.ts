import type { ReductionOps } from '../ops/reduction';
import type { VjpRules } from './rule';

export const reductionVjps: VjpRules<keyof ReductionOps> = {
  ReduceSum: (b, g, { inputs: [x] }) => [b.expand(g, x!.shape)],
  SumProduct: (b, g, { inputs: [x, y] }) => [b.mul(g, y!), b.mul(g, x!)],
};
