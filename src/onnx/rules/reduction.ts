import type { NodeOf } from '../../graph/graph';
import type { ReductionOps } from '../../graph/ops/reduction';
import { sumOver } from '../lower-sums';
import type { OnnxWriter } from '../writer';
import type { OnnxRules } from './rule';

/** WebGPU has no LogSoftmax: x − m − log Σ exp(x − m), m the largest. */
function logSoftmax(
  w: OnnxWriter,
  { attrs: { axis } }: NodeOf<'LogSoftmax'>,
  [x]: readonly string[],
): readonly string[] {
  if (w.target.device !== 'webgpu') return [w.node('LogSoftmax', [x!], { axis })];
  const along = (op: string, value: string): string => w.node(op, [value, w.ints([axis])], { keepdims: 1 });
  const below = w.node('Sub', [x!, along('ReduceMax', x!)]);
  return [w.node('Sub', [below, w.node('Log', [along('ReduceSum', w.node('Exp', [below]))])])];
}

export const reductionRules: OnnxRules<keyof ReductionOps> = {
  ReduceSum: (w, { inputs: [x], attrs: { axes } }, [name]) => [sumOver(w, name!, x!.shape, axes)],
  SumProduct: (w, { inputs: [a], attrs: { axes } }, names) => [sumOver(w, w.node('Mul', names), a!.shape, axes)],
  ReduceMax: (w, { attrs: { axes } }, [x]) => {
    return [axes.length === 0 ? x! : w.node('ReduceMax', [x!, w.ints(axes)], { keepdims: 1 })];
  },
  Softmax: (w, { attrs: { axis } }, [x]) => [w.node('Softmax', [x!], { axis })],
  LogSoftmax: logSoftmax,
};
