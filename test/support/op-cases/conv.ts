import { type ConvOps, convAttrs } from '../../../src/graph/ops/conv';
import type { Shape } from '../../../src/tensor/tensor';
import type { OpCases } from './case';
import { generalConvolutions } from './general-conv';

/** One convolution: from it, a case of each of the three operators. */
export interface ConvCase {
  readonly title: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly y: Shape;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation?: readonly number[];
  readonly groups?: number;
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
    title: '3-D, long rows, two samples, unequal kernel',
    x: [2, 2, 3, 2, 33],
    w: [3, 2, 3, 1, 5],
    y: [2, 3, 3, 2, 33],
    stride: [1, 1, 1],
    padding: [1, 0, 2],
  },
  {
    title: '2-D, long rows, less padding than kernel',
    x: [2, 2, 3, 36],
    w: [2, 2, 3, 3],
    y: [2, 2, 1, 36],
    stride: [1, 1],
    padding: [0, 1],
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
  ...generalConvolutions,
];

/** The cases of each of the three operators that some convolutions make. */
export const casesOfConvolutions = (calls: readonly ConvCase[]): OpCases<keyof ConvOps> => ({
  Conv: calls.map((conv) => ({ title: conv.title, inputs: [conv.x, conv.w], attrs: convAttrs(conv) })),
  ConvInputGrad: calls.map((conv) => ({
    title: conv.title,
    inputs: [conv.y, conv.w],
    attrs: { ...convAttrs(conv), spatial: conv.x.slice(2) },
  })),
  ConvWeightGrad: calls.map((conv) => ({
    title: conv.title,
    inputs: [conv.x, conv.y],
    attrs: { ...convAttrs(conv), kernel: conv.w.slice(2) },
  })),
});

export const convCases = casesOfConvolutions(convolutions);
