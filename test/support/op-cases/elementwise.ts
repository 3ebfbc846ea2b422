import type { ElementwiseOps } from '../../../src/graph/ops/elementwise';
import type { OpCases } from './case';

const unary = { title: 'a matrix', inputs: [[3, 5]], attrs: {} };
const broadcasting = [
  {
    title: 'equal shapes',
    inputs: [
      [2, 3],
      [2, 3],
    ],
    attrs: {},
  },
  {
    title: 'a row and a column',
    inputs: [
      [1, 3],
      [2, 1],
    ],
    attrs: {},
  },
  {
    title: 'different ranks',
    inputs: [
      [2, 1, 3],
      [4, 1],
    ],
    attrs: {},
  },
  { title: 'a scalar', inputs: [[2, 2], []], attrs: {} },
  { title: 'one value with itself in shape [1]', inputs: [[1], [1]], attrs: {} },
] as const;

export const elementwiseCases: OpCases<keyof ElementwiseOps> = {
  Add: broadcasting,
  Sub: broadcasting,
  Mul: broadcasting,
  Div: broadcasting.map((example) => ({ ...example, range: [0.5, 2] as const })),
  Neg: [unary],
  Sqrt: [{ ...unary, range: [0.1, 2] }],
  Sigmoid: [unary],
  Relu: [unary],
  ReluGrad: [
    {
      title: 'a matrix',
      inputs: [
        [3, 5],
        [3, 5],
      ],
      attrs: {},
      fixed: [1],
    },
  ],
};
