import type { NormOps } from '../../../src/graph/ops/norm';
import type { Shape } from '../../../src/tensor/tensor';
import type { OpCases } from './case';

const norms = [
  { title: '2-D, two samples', x: [2, 4, 3, 5], groups: 2 },
  { title: '3-D, one channel a group', x: [1, 3, 2, 3, 4], groups: 3 },
  { title: '3-D, one group', x: [2, 4, 2, 2, 1], groups: 1 },
  { title: '3-D, one voxel', x: [1, 8, 1, 1, 1], groups: 2 },
  { title: '1-D, long', x: [1, 2, 9000], groups: 1 },
] as const;

/** One batch normalisation: from it, a case of the operator and one of its gradient. */
export interface BatchNormCase {
  readonly title: string;
  readonly x: Shape;
}

const batchNorms: readonly BatchNormCase[] = [
  { title: '1-D, three samples', x: [3, 2, 5] },
  { title: '2-D, two samples', x: [2, 3, 4, 5] },
  { title: '3-D, one sample', x: [1, 2, 3, 2, 4] },
  { title: '3-D, one voxel wide', x: [4, 3, 1, 1, 1] },
  { title: 'features without positions', x: [5, 3] },
];

/** The cases of BatchNorm and its gradient. Statistics are drawn too, so that none is negative. */
export const casesOfBatchNorms = (calls: readonly BatchNormCase[]): OpCases<'BatchNorm' | 'BatchNormGrad'> => ({
  BatchNorm: calls.map(({ title, x }) => ({ title, inputs: [x, [x[1]!], [x[1]!]], attrs: { epsilon: 1e-5 } })),
  BatchNormGrad: calls.map(({ title, x }) => ({
    title,
    inputs: [x, x, [x[1]!], [x[1]!], [x[1]!]],
    attrs: { epsilon: 1e-5 },
    range: [0.2, 1.5],
  })),
});

export const normCases: OpCases<keyof NormOps> = {
  ...casesOfBatchNorms(batchNorms),
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
};
