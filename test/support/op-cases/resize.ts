import type { ResizeOps } from '../../../src/graph/ops/resize';
import type { OpCases } from './case';

const upsamplings = [
  { title: '1-D', x: [1, 2, 5] },
  { title: '2-D, two samples', x: [2, 3, 3, 4] },
  { title: '3-D', x: [1, 2, 2, 3, 4] },
  { title: '3-D, one voxel wide', x: [1, 1, 1, 3, 1] },
] as const;

export const resizeCases: OpCases<keyof ResizeOps> = {
  UpsampleLinear: upsamplings.map(({ title, x }) => ({ title, inputs: [x], attrs: {} })),
  UpsampleLinearGrad: upsamplings.map(({ title, x }) => ({
    title,
    inputs: [x.map((n, i) => (i < 2 ? n : 2 * n))],
    attrs: {},
  })),
};
