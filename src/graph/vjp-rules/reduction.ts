import { equal, exp } from '../functions/elementwise';
import type { ReductionOps } from '../ops/reduction';
import type { VjpRules } from './rule';

export const reductionVjps: VjpRules<keyof ReductionOps> = {
  ReduceSum: (b, g, { inputs: [x] }) => [b.expand(g, x!.shape)],
  ReduceMax: (b, g, { inputs: [x], outputs: [y], attrs: { axes } }) => {
    const winners = equal(b, x!, y!);
    return [b.mul(winners, b.div(g, b.reduceSum(winners, axes)))];
  },
  SumProduct: (b, g, { inputs: [x, y] }) => [b.mul(g, y!), b.mul(g, x!)],
  Softmax: (b, g, { outputs: [y], attrs: { axis } }) => [b.mul(y!, b.sub(g, b.sumProduct(g, y!, [axis])))],
  LogSoftmax: (b, g, { outputs: [y], attrs: { axis } }) => [b.sub(g, b.mul(exp(b, y!), b.reduceSum(g, [axis])))],
};
