/** Calls large enough for the runtime to share them out among threads: for tests that bits do not depend on those. */
import type { Op } from '../../../src/graph/ops';
import type { OpCases } from './case';
import { casesOfConvolutions } from './conv';
import { casesOfBatchNorms } from './norm';
import { casesOfPoolings } from './pool';
import { casesOfResizes } from './resize';

const convolutions = casesOfConvolutions([
  {
    title: 'dilated, long sums, an odd number of channels',
    x: [1, 48, 13, 17],
    w: [33, 48, 3, 3],
    y: [1, 33, 13, 17],
    stride: [1, 1],
    padding: [2, 2],
    dilation: [2, 2],
  },
  {
    title: 'two groups, long sums, few positions',
    x: [1, 64, 5, 5],
    w: [74, 32, 3, 3],
    y: [1, 74, 5, 5],
    stride: [1, 1],
    padding: [1, 1],
    groups: 2,
  },
  {
    title: 'two groups, two samples, stride 2',
    x: [2, 34, 15, 16],
    w: [38, 17, 3, 3],
    y: [2, 38, 8, 8],
    stride: [2, 2],
    padding: [1, 1],
    groups: 2,
  },
  {
    title: 'one channel a group',
    x: [2, 24, 31, 33],
    w: [24, 1, 3, 3],
    y: [2, 24, 31, 33],
    stride: [1, 1],
    padding: [1, 1],
    groups: 24,
  },
  {
    title: 'kernel as long as its stride, three samples',
    x: [3, 35, 18, 26],
    w: [70, 35, 2, 2],
    y: [3, 70, 9, 13],
    stride: [2, 2],
    padding: [0, 0],
  },
  {
    title: 'kernel 4, stride 2, one sample',
    x: [1, 33, 14, 22],
    w: [67, 33, 4, 4],
    y: [1, 67, 7, 11],
    stride: [2, 2],
    padding: [1, 1],
  },
  {
    title: 'one position',
    x: [1, 130, 3, 3],
    w: [126, 130, 3, 3],
    y: [1, 126, 1, 1],
    stride: [1, 1],
    padding: [0, 0],
  },
  {
    title: 'two groups, one position',
    x: [1, 260, 3, 3],
    w: [252, 130, 3, 3],
    y: [1, 252, 1, 1],
    stride: [1, 1],
    padding: [0, 0],
    groups: 2,
  },
]);

const poolings = casesOfPoolings([
  { title: 'tiles', x: [2, 16, 48, 50], y: [2, 16, 24, 25], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { title: 'overlapping', x: [1, 5, 150, 161], y: [1, 5, 75, 81], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  {
    title: 'windows that slide',
    x: [1, 5, 151, 161],
    y: [1, 5, 150, 160],
    kernel: [2, 2],
    stride: [1, 1],
    padding: [0, 0],
  },
]);

const linear = { mode: 'linear', alignCorners: false } as const;

const resizes = casesOfResizes([
  { title: 'one channel, to more', x: [1, 1, 150, 37], attrs: { ...linear, size: [299, 101] } },
  { title: 'one channel, to fewer', x: [1, 1, 301, 299], attrs: { ...linear, size: [150, 37] } },
  { title: 'to one column', x: [3, 7, 31, 1700], attrs: { ...linear, size: [5, 1] } },
  { title: 'few channels', x: [1, 3, 131, 139], attrs: { mode: 'linear', alignCorners: true, scale: [2, 2] } },
  { title: 'nearest', x: [2, 8, 40, 41], attrs: { mode: 'nearest', alignCorners: false, scale: [2, 2] } },
]);

const batchNorms = casesOfBatchNorms([
  { title: 'many positions', x: [3, 5, 91, 97] },
  { title: 'one sample, many channels', x: [1, 250, 17, 19] },
]);

export const largeOpCases: Partial<OpCases<Op>> = {
  ...convolutions,
  ...poolings,
  ...resizes,
  ...batchNorms,
  MatMul: [
    {
      title: 'a column',
      inputs: [
        [500, 900],
        [900, 1],
      ],
      attrs: {},
    },
    {
      title: 'a short column',
      inputs: [
        [17, 5000],
        [5000, 1],
      ],
      attrs: {},
    },
    {
      title: 'few rows, long sums',
      inputs: [
        [3, 1100],
        [1100, 71],
      ],
      attrs: {},
    },
    {
      title: 'few columns, long sums',
      inputs: [
        [71, 1100],
        [1100, 3],
      ],
      attrs: {},
    },
    {
      title: 'a row',
      inputs: [
        [1, 900],
        [900, 500],
      ],
      attrs: {},
    },
    {
      title: 'odd square matrices',
      inputs: [
        [131, 257],
        [257, 131],
      ],
      attrs: {},
    },
    {
      title: 'two products',
      inputs: [
        [2, 45, 300],
        [2, 300, 50],
      ],
      attrs: {},
    },
    {
      title: 'nine products',
      inputs: [
        [9, 33, 200],
        [9, 200, 40],
      ],
      attrs: {},
    },
    {
      title: 'one factor for many rows',
      inputs: [
        [4, 37, 150],
        [150, 33],
      ],
      attrs: {},
    },
  ],
  Softmax: [{ title: 'many channels', inputs: [[2, 33, 1000]], attrs: { axis: 1 } }],
  LogSoftmax: [{ title: 'many channels', inputs: [[2, 33, 1000]], attrs: { axis: 1 } }],
  ReduceSum: [
    { title: 'the middle axis', inputs: [[2, 500, 3]], attrs: { axes: [1] } },
    { title: 'all but the channels', inputs: [[2, 4, 9, 100]], attrs: { axes: [0, 2, 3] } },
    { title: 'every other axis', inputs: [[3, 40, 5, 70]], attrs: { axes: [1, 3] } },
    { title: 'the first axes', inputs: [[3, 100, 50]], attrs: { axes: [0, 1] } },
  ],
  SumProduct: [
    {
      title: 'the middle axis',
      inputs: [
        [2, 33, 1000],
        [2, 33, 1000],
      ],
      attrs: { axes: [1] },
    },
  ],
  ReduceMax: [{ title: 'long rows', inputs: [[3, 20000]], attrs: { axes: [1] } }],
  Gather: [
    {
      title: 'few rows read often',
      inputs: [[5, 300], [400]],
      attrs: { axis: 0 },
      values: [undefined, Array.from({ length: 400 }, (_, i) => (i * i) % 5)],
      fixed: [1],
    },
  ],
};
