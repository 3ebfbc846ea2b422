import type { ReductionOps } from '../../../src/graph/ops/reduction';
import type { OpCases } from './case';

const softmaxes = [
  { title: 'a vector', inputs: [[5]], attrs: { axis: 0 } },
  { title: 'channels', inputs: [[2, 3, 4]], attrs: { axis: 1 } },
  { title: 'the last axis', inputs: [[2, 3, 4]], attrs: { axis: 2 } },
  { title: 'one element', inputs: [[3, 1]], attrs: { axis: 1 } },
  { title: 'large numbers', inputs: [[2, 4]], attrs: { axis: 1 }, range: [90, 110] },
] as const;

export const reductionCases: OpCases<keyof ReductionOps> = {
  ReduceSum: [
    { title: 'the last axes', inputs: [[2, 3, 4]], attrs: { axes: [1, 2] } },
    { title: 'no axis', inputs: [[2, 3]], attrs: { axes: [] } },
    { title: 'a scalar', inputs: [[]], attrs: { axes: [] } },
    { title: 'the first and the last axis', inputs: [[2, 3, 4]], attrs: { axes: [0, 2] } },
    { title: 'long rows, summed in blocks', inputs: [[2, 16384]], attrs: { axes: [1] } },
  ],
  ReduceMax: [
    { title: 'the last axes', inputs: [[2, 3, 4]], attrs: { axes: [1, 2] } },
    { title: 'the first axis', inputs: [[3, 2]], attrs: { axes: [0] } },
    { title: 'all axes', inputs: [[3, 2, 2]], attrs: { axes: [0, 1, 2] } },
    { title: 'no axis', inputs: [[3, 2]], attrs: { axes: [] } },
    { title: 'a scalar', inputs: [[]], attrs: { axes: [] } },
    { title: 'ties', inputs: [[2, 4]], attrs: { axes: [1] }, values: [[1, 3, 3, 0, 2, 2, 2, 2]], kink: true },
  ],
  SumProduct: [
    {
      title: 'the last axes',
      inputs: [
        [2, 3, 4],
        [2, 3, 4],
      ],
      attrs: { axes: [1, 2] },
    },
    {
      title: 'the first axis',
      inputs: [
        [2, 3],
        [2, 3],
      ],
      attrs: { axes: [0] },
    },
    {
      title: 'long rows, summed in blocks',
      inputs: [
        [2, 16384],
        [2, 16384],
      ],
      attrs: { axes: [1] },
    },
  ],
  Softmax: softmaxes,
  LogSoftmax: softmaxes,
};
