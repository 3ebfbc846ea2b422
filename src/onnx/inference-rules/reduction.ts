import type { ReductionOps } from '../../graph/ops/reduction';
import { reductionRules } from '../rules/reduction';
import { asFixed, type FreeRules, isFreeAxis, requireFree } from './rule';

export const reductionFree: FreeRules<keyof ReductionOps> = {
  ReduceSum: (w, { inputs, attrs: { axes } }, [x], varies) => {
    // A mean is a sum times a number that was written for one size.
    const fixed = !varies(inputs[0]!) || !axes.some(isFreeAxis);
    requireFree(fixed, 'ReduceSum', 'it sums over an axis whose length may change, and what follows may count on it');
    return axes.length === 0 ? x! : w.node('ReduceSum', [x!, w.ints(axes)], { keepdims: 1 });
  },
  // Axes became an input in opset 18.
  ReduceMax: (w, { attrs: { axes } }, [x]) =>
    axes.length === 0 ? x! : w.node('ReduceMax', [x!], { axes, keepdims: 1 }),
  Softmax: asFixed(reductionRules.Softmax),
  LogSoftmax: asFixed(reductionRules.LogSoftmax),
};
