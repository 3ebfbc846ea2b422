import { resizedLengths } from '../../../src/graph/interpolation';
import type { ResizeAttrs, ResizeOps } from '../../../src/graph/ops/resize';
import type { Shape } from '../../../src/tensor/tensor';
import type { OpCases } from './case';

const upsamplings = [
  { title: '1-D', x: [1, 2, 5] },
  { title: '2-D, two samples', x: [2, 3, 3, 4] },
  { title: '3-D', x: [1, 2, 2, 3, 4] },
  { title: '3-D, one voxel wide', x: [1, 1, 1, 3, 1] },
] as const;

/** One resize: from it, a case of the operator and one of its gradient. */
export interface ResizeCase {
  readonly title: string;
  readonly x: Shape;
  readonly attrs: ResizeAttrs;
}

const nearest = { mode: 'nearest', alignCorners: false } as const;
const linear = { mode: 'linear', alignCorners: false } as const;
const aligned = { mode: 'linear', alignCorners: true } as const;

const resizes: readonly ResizeCase[] = [
  { title: '1-D, nearest, twice', x: [2, 3, 4], attrs: { ...nearest, scale: [2] } },
  { title: '2-D, nearest, whole factors', x: [1, 2, 3, 4], attrs: { ...nearest, size: [6, 12] } },
  { title: '2-D, nearest, to other lengths', x: [2, 2, 5, 7], attrs: { ...nearest, size: [7, 3] } },
  { title: '2-D, nearest, odd scale', x: [1, 2, 5, 7], attrs: { ...nearest, scale: [1.7, 0.6] } },
  { title: '3-D, nearest, twice, one voxel wide', x: [1, 2, 1, 3, 2], attrs: { ...nearest, scale: [2, 2, 2] } },
  { title: '1-D, linear, to more', x: [2, 3, 4], attrs: { ...linear, size: [7] } },
  { title: '2-D, linear, to more and to fewer', x: [1, 2, 3, 8], attrs: { ...linear, size: [7, 5] } },
  { title: '2-D, linear, odd scale', x: [2, 2, 5, 6], attrs: { ...linear, scale: [1.5, 0.7] } },
  { title: '3-D, linear, one axis kept', x: [1, 2, 3, 4, 2], attrs: { ...linear, size: [5, 4, 3] } },
  { title: '3-D, linear, one voxel wide', x: [1, 2, 1, 3, 1], attrs: { ...linear, size: [2, 6, 3] } },
  { title: '2-D, aligned corners, twice', x: [2, 2, 3, 4], attrs: { ...aligned, scale: [2, 2] } },
  { title: '2-D, aligned corners, to fewer and to one', x: [1, 2, 7, 4], attrs: { ...aligned, size: [4, 1] } },
  { title: '3-D, aligned corners', x: [1, 2, 2, 3, 4], attrs: { ...aligned, size: [4, 5, 4] } },
  { title: '3-D, aligned corners, one voxel wide', x: [1, 1, 1, 2, 1], attrs: { ...aligned, size: [3, 4, 1] } },
];

/** The cases of Resize and its gradient that some resizes make. */
export const casesOfResizes = (calls: readonly ResizeCase[]): OpCases<'Resize' | 'ResizeGrad'> => ({
  Resize: calls.map(({ title, x, attrs }) => ({ title, inputs: [x], attrs })),
  ResizeGrad: calls.map(({ title, x, attrs }) => ({
    title,
    inputs: [[...x.slice(0, 2), ...resizedLengths(x.slice(2), attrs)]],
    attrs: { ...attrs, spatial: x.slice(2) },
  })),
});

export const resizeCases: OpCases<keyof ResizeOps> = {
  UpsampleLinear: upsamplings.map(({ title, x }) => ({ title, inputs: [x], attrs: {} })),
  UpsampleLinearGrad: upsamplings.map(({ title, x }) => ({
    title,
    inputs: [x.map((n, i) => (i < 2 ? n : 2 * n))],
    attrs: {},
  })),
  ...casesOfResizes(resizes),
};
