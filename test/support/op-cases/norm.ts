import type { NormOps } from '../../../src/graph/ops/norm';
import type { OpCases } from './case';

const norms = [
  { title: '2-D, two samples', x: [2, 4, 3, 5], groups: 2 },
  { title: '3-D, one channel a group', x: [1, 3, 2, 3, 4], groups: 3 },
  { title: '3-D, one group', x: [2, 4, 2, 2, 1], groups: 1 },
  { title: '3-D, one voxel', x: [1, 8, 1, 1, 1], groups: 2 },
  { title: '1-D, long', x: [1, 2, 9000], groups: 1 },
] as const;

export const normCases: OpCases<keyof NormOps> = {
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
