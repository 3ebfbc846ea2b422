import type { LayoutOps } from '../../../src/graph/ops/layout';
import type { OpCases } from './case';

export const layoutCases: OpCases<keyof LayoutOps> = {
  Constant: [
    { title: 'a scalar', inputs: [], attrs: { shape: [], values: [2.5] } },
    { title: 'a table', inputs: [], attrs: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] } },
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
};
