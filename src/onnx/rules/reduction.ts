import type { ReductionOps } from '../../graph/ops/reduction';
import { sumOver } from '../lower-sums';
import type { OnnxRules } from './rule';

export const reductionRules: OnnxRules<keyof ReductionOps> = {
  ReduceSum: (w, { inputs: [x], attrs: { axes } }, [name]) => [sumOver(w, name!, x!.shape, axes)],
  SumProduct: (w, { inputs: [a], attrs: { axes } }, names) => [sumOver(w, w.node('Mul', names), a!.shape, axes)],
  ReduceMax: (w, { attrs: { axes } }, [x]) => {
    return [axes.length === 0 ? x! : w.node('ReduceMax', [x!, w.ints(axes)], { keepdims: 1 })];
  },
  Softmax: (w, { attrs: { axis } }, [x]) => [w.node('Softmax', [x!], { axis })],
  LogSoftmax: (w, { attrs: { axis } }, [x]) => [w.node('LogSoftmax', [x!], { axis })],
};
