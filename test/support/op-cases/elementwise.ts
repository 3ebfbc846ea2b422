import type { ElementwiseOps } from '../../../src/graph/ops/elementwise';
import type { OpCases } from './case';

const unary = { title: 'a matrix', inputs: [[3, 5]], attrs: {} };
const scalar = { title: 'a scalar', inputs: [[]], attrs: {} };
const atKinks = { title: 'at kinks', inputs: [[4]], attrs: {}, values: [[-1, 0, 0, 1]], kink: true } as const;
/** Two equal numbers, a smaller and a larger one. */
const tie = {
  title: 'ties',
  inputs: [[4], [4]],
  attrs: {},
  values: [
    [1, -2, 0, 3],
    [1, -2, 1, 2],
  ],
  kink: true,
} as const;
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
  Pow: [
    ...broadcasting.map((example) => ({ ...example, range: [0.5, 2] as const })),
    {
      title: 'powers of zero',
      inputs: [[4], [4]],
      attrs: {},
      values: [
        [0, 0, 0, 0],
        [0, 1, 2, 3],
      ],
      kink: true,
    },
    {
      title: 'whole powers of negative numbers',
      inputs: [[4], [4]],
      attrs: {},
      values: [
        [-2, -1.5, -1, -0.5],
        [1, 2, 3, -1],
      ],
      fixed: [1],
    },
  ],
  Maximum: [...broadcasting.slice(0, 4), tie],
  Minimum: [...broadcasting.slice(0, 4), tie],
  Greater: [...broadcasting, tie],
  GreaterOrEqual: [...broadcasting, tie],
  Equal: [tie, { ...broadcasting[2] }],
  Where: [
    {
      title: 'equal shapes',
      inputs: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      attrs: {},
      values: [[0, 1, 1, 0, 0, 2]],
      fixed: [0],
    },
    { title: 'all broadcast', inputs: [[3, 1], [2], []], attrs: {}, values: [[0, 1, 0]], fixed: [0] },
  ],
  Neg: [unary, scalar],
  Abs: [unary, scalar, atKinks],
  Sign: [unary, atKinks],
  Exp: [unary, scalar],
  Log: [{ ...unary, range: [0.1, 2] }],
  Sqrt: [{ ...unary, range: [0.1, 2] }],
  Tanh: [unary, scalar],
  Sigmoid: [unary],
  Softplus: [unary, { ...unary, title: 'far from zero', range: [-15, 15] }],
  Relu: [unary, atKinks],
  LeakyRelu: [
    { ...unary, attrs: { alpha: 0.2 } },
    { ...unary, title: 'a negative slope', attrs: { alpha: -0.5 } },
    { ...unary, title: 'no slope', attrs: { alpha: 0 } },
    { ...atKinks, attrs: { alpha: 0.1 } },
  ],
  LeakyReluGrad: [
    {
      title: 'a matrix',
      inputs: [
        [3, 5],
        [3, 5],
      ],
      attrs: { alpha: 0.2 },
      fixed: [1],
    },
  ],
  PRelu: [
    { title: 'one slope', inputs: [[2, 3, 4], [1]], attrs: {} },
    {
      title: 'a slope per channel',
      inputs: [
        [2, 3, 4],
        [3, 1],
      ],
      attrs: {},
    },
    {
      title: 'a slope per channel, 3-D',
      inputs: [
        [1, 2, 1, 3, 1],
        [2, 1, 1, 1],
      ],
      attrs: {},
    },
    { title: 'at kinks', inputs: [[1, 3], [1]], attrs: {}, values: [[-1, 0, 1], [0.25]], kink: true },
  ],
  Clip: [
    { ...unary, attrs: { min: -0.5, max: 0.25 } },
    { ...unary, title: 'from below only', attrs: { min: 0, max: Number.POSITIVE_INFINITY } },
    { ...unary, title: 'from above only', attrs: { min: Number.NEGATIVE_INFINITY, max: 0.1 } },
    { ...atKinks, title: 'on the bounds', attrs: { min: -1, max: 0 } },
  ],
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
