import type { ReductionOps } from '../../../src/graph/ops/reduction';
import type { OpCases } from './case';

export const reductionCases: OpCases<keyof ReductionOps> = {
  ReduceSum: [
    { title: 'the last axes', inputs: [[2, 3, 4]], attrs: { axes: [1, 2] } },
    { title: 'the first and the last axis', inputs: [[2, 3, 4]], attrs: { axes: [0, 2] } },
    { title: 'long rows, summed in blocks', inputs: [[2, 16384]], attrs: { axes: [1] } },
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
};
