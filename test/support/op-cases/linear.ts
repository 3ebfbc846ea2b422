import type { LinearOps } from '../../../src/graph/ops/linear';
import type { OpCases } from './case';

export const linearCases: OpCases<keyof LinearOps> = {
  MatMul: [
    {
      title: 'two matrices',
      inputs: [
        [3, 4],
        [4, 5],
      ],
      attrs: {},
    },
    {
      title: 'a row and a column',
      inputs: [
        [1, 6],
        [6, 1],
      ],
      attrs: {},
    },
    {
      title: 'a column and a row',
      inputs: [
        [6, 1],
        [1, 5],
      ],
      attrs: {},
    },
    {
      title: 'a batch',
      inputs: [
        [2, 3, 4],
        [2, 4, 2],
      ],
      attrs: {},
    },
    {
      title: 'one second factor for a batch',
      inputs: [
        [2, 2, 3, 4],
        [4, 2],
      ],
      attrs: {},
    },
    {
      title: 'one first factor for a batch',
      inputs: [
        [3, 4],
        [3, 4, 2],
      ],
      attrs: {},
    },
    {
      title: 'batches that broadcast',
      inputs: [
        [3, 1, 2, 4],
        [2, 4, 3],
      ],
      attrs: {},
    },
    {
      title: 'a shape that is filled up with rows',
      inputs: [
        [33, 140],
        [140, 40],
      ],
      attrs: {},
    },
    {
      title: 'a shape in which the factors change places',
      inputs: [
        [2, 300],
        [300, 129],
      ],
      attrs: {},
    },
    {
      title: 'a batch that is filled up with rows',
      inputs: [
        [2, 33, 140],
        [2, 140, 40],
      ],
      attrs: {},
    },
  ],
};
