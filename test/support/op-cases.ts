/** Example calls of every operator, edge shapes included: what tests loop over. Total over the operators by type. */
import type { Op, Ops } from '../../src/graph/ops';
import type { Shape } from '../../src/tensor/tensor';

export interface OpCase<K extends Op> {
  readonly title: string;
  readonly inputs: readonly Shape[];
  readonly attrs: Ops[K];
  /** Inputs are uniform in [low, high), which must keep clear of kinks and poles. */
  readonly range?: readonly [low: number, high: number];
  /** Inputs whose derivative is not asked for. */
  readonly fixed?: readonly number[];
}

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

interface ConvCase {
  readonly title: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

const convolutions: readonly ConvCase[] = [
  { title: '1-D', x: [2, 3, 7], w: [4, 3, 3], y: [2, 4, 7], stride: [1], padding: [1] },
  { title: '2-D, stride 2, even', x: [1, 2, 6, 8], w: [3, 2, 3, 3], y: [1, 3, 3, 4], stride: [2, 2], padding: [1, 1] },
  { title: '2-D, stride 2, odd', x: [2, 2, 5, 7], w: [3, 2, 3, 3], y: [2, 3, 3, 4], stride: [2, 2], padding: [1, 1] },
  { title: '2-D, no padding', x: [1, 2, 5, 4], w: [2, 2, 3, 2], y: [1, 2, 3, 3], stride: [1, 1], padding: [0, 0] },
  {
    title: '2-D, more padding than kernel',
    x: [1, 1, 3, 3],
    w: [1, 1, 2, 2],
    y: [1, 1, 6, 6],
    stride: [1, 1],
    padding: [2, 2],
  },
  { title: '2-D, rows left over', x: [1, 1, 6, 8], w: [2, 1, 2, 3], y: [1, 2, 2, 2], stride: [3, 3], padding: [0, 0] },
  { title: '3-D', x: [1, 2, 3, 4, 5], w: [3, 2, 3, 3, 3], y: [1, 3, 3, 4, 5], stride: [1, 1, 1], padding: [1, 1, 1] },
  {
    title: '3-D, wide',
    x: [1, 5, 4, 6, 8],
    w: [6, 5, 3, 3, 3],
    y: [1, 6, 4, 6, 8],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, two samples',
    x: [2, 3, 3, 2, 4],
    w: [2, 3, 3, 3, 3],
    y: [2, 2, 3, 2, 4],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, one voxel wide',
    x: [2, 2, 1, 1, 1],
    w: [2, 2, 3, 3, 3],
    y: [2, 2, 1, 1, 1],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, stride 2, even',
    x: [1, 2, 4, 6, 2],
    w: [3, 2, 3, 3, 3],
    y: [1, 3, 2, 3, 1],
    stride: [2, 2, 2],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, stride 2, odd',
    x: [2, 2, 5, 3, 1],
    w: [3, 2, 3, 3, 3],
    y: [2, 3, 3, 2, 1],
    stride: [2, 2, 2],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, mixed strides',
    x: [1, 2, 4, 5, 6],
    w: [2, 2, 3, 3, 3],
    y: [1, 2, 4, 3, 3],
    stride: [1, 2, 2],
    padding: [1, 1, 1],
  },
  {
    title: '2-D, blocks of channels',
    x: [1, 32, 5, 6],
    w: [16, 32, 3, 3],
    y: [1, 16, 5, 6],
    stride: [1, 1],
    padding: [1, 1],
  },
  {
    title: '3-D, blocks of channels, two samples',
    x: [2, 16, 3, 2, 4],
    w: [32, 16, 3, 3, 3],
    y: [2, 32, 3, 2, 4],
    stride: [1, 1, 1],
    padding: [1, 1, 1],
  },
  {
    title: '3-D, blocks of channels, one slice, kernel 5',
    x: [1, 16, 1, 4, 4],
    w: [16, 16, 5, 3, 3],
    y: [1, 16, 1, 4, 4],
    stride: [1, 1, 1],
    padding: [2, 1, 1],
  },
  {
    title: '3-D, large planes',
    x: [1, 2, 4, 13, 12],
    w: [3, 2, 3, 3, 3],
    y: [1, 3, 4, 11, 14],
    stride: [1, 1, 1],
    padding: [1, 0, 2],
  },
  {
    title: '3-D, pointwise',
    x: [1, 4, 2, 3, 2],
    w: [3, 4, 1, 1, 1],
    y: [1, 3, 2, 3, 2],
    stride: [1, 1, 1],
    padding: [0, 0, 0],
  },
  {
    title: '3-D, pointwise, two samples',
    x: [2, 4, 2, 1, 2],
    w: [3, 4, 1, 1, 1],
    y: [2, 3, 2, 1, 2],
    stride: [1, 1, 1],
    padding: [0, 0, 0],
  },
];

const norms = [
  { title: '2-D, two samples', x: [2, 4, 3, 5], groups: 2 },
  { title: '3-D, one channel a group', x: [1, 3, 2, 3, 4], groups: 3 },
  { title: '3-D, one group', x: [2, 4, 2, 2, 1], groups: 1 },
  { title: '3-D, one voxel', x: [1, 8, 1, 1, 1], groups: 2 },
  { title: '1-D, long', x: [1, 2, 9000], groups: 1 },
] as const;

const upsamplings = [
  { title: '1-D', x: [1, 2, 5] },
  { title: '2-D, two samples', x: [2, 3, 3, 4] },
  { title: '3-D', x: [1, 2, 2, 3, 4] },
  { title: '3-D, one voxel wide', x: [1, 1, 1, 3, 1] },
] as const;

export const opCases: { readonly [K in Op]: readonly OpCase<K>[] } = {
  Constant: [
    { title: 'a scalar', inputs: [], attrs: { shape: [], values: [2.5] } },
    { title: 'a table', inputs: [], attrs: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] } },
  ],
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
  Reshape: [
    { title: 'a matrix to a vector', inputs: [[3, 4]], attrs: { shape: [12] } },
    { title: 'one element to a scalar', inputs: [[1, 1]], attrs: { shape: [] } },
  ],
  Expand: [
    { title: 'a column', inputs: [[3, 1]], attrs: { shape: [3, 4] } },
    { title: 'a scalar', inputs: [[]], attrs: { shape: [2, 2] } },
  ],
  Transpose: [{ title: 'three axes', inputs: [[2, 3, 4]], attrs: { order: [2, 0, 1] } }],
  Conv: convolutions.map(({ title, x, w, stride, padding }) => ({ title, inputs: [x, w], attrs: { stride, padding } })),
  ConvInputGrad: convolutions.map(({ title, x, w, y, stride, padding }) => ({
    title,
    inputs: [y, w],
    attrs: { stride, padding, spatial: x.slice(2) },
  })),
  ConvWeightGrad: convolutions.map(({ title, x, w, y, stride, padding }) => ({
    title,
    inputs: [x, y],
    attrs: { stride, padding, kernel: w.slice(2) },
  })),
  GroupNorm: norms.map(({ title, x, groups }) => ({
    title,
    inputs: [x, [x[1]], [x[1]]],
    attrs: { groups, epsilon: 1e-5 },
  })),
  GroupNormGrad: norms.map(({ title, x, groups }) => ({
    title,
    inputs: [x, x, [x[1]], [x[0], groups], [x[0], groups]],
    attrs: { groups },
  })),
  UpsampleLinear: upsamplings.map(({ title, x }) => ({ title, inputs: [x], attrs: {} })),
  UpsampleLinearGrad: upsamplings.map(({ title, x }) => ({
    title,
    inputs: [x.map((n, i) => (i < 2 ? n : 2 * n))],
    attrs: {},
  })),
};
