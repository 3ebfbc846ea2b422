import type { LayoutOps } from '../../../src/graph/ops/layout';
import type { OpCases } from './case';

const slices = [
  { title: 'the middle', x: [3, 5], start: [1, 2], end: [2, 4], step: [1, 1] },
  { title: 'every other element', x: [2, 7], start: [0, 1], end: [2, 7], step: [1, 2] },
  { title: 'steps that end early', x: [5, 8], start: [0, 0], end: [5, 7], step: [2, 3] },
  { title: 'everything', x: [2, 3], start: [0, 0], end: [2, 3], step: [1, 1] },
  { title: 'a scalar', x: [], start: [], end: [], step: [] },
  { title: '3-D', x: [1, 2, 4, 3, 5], start: [0, 1, 0, 2, 1], end: [1, 2, 4, 3, 5], step: [1, 1, 2, 1, 1] },
] as const;

const pads = [
  { title: 'one axis', x: [2, 5], begin: [0, 2], end: [0, 1] },
  { title: 'two axes', x: [1, 2, 6, 5], begin: [0, 0, 1, 2], end: [0, 0, 2, 1] },
  { title: 'before only', x: [7], begin: [3], end: [0] },
  { title: 'after only', x: [7], begin: [0], end: [3] },
  { title: 'almost twice as long', x: [1, 1, 3, 4], begin: [0, 0, 2, 3], end: [0, 0, 2, 3] },
  { title: '3-D', x: [1, 1, 4, 3, 5], begin: [0, 0, 1, 1, 1], end: [0, 0, 1, 1, 1] },
  { title: 'nothing', x: [2, 3], begin: [0, 0], end: [0, 0] },
] as const;

/** An axis of length 1 has nothing to reflect. */
const narrow = { title: 'one element wide', x: [2, 1], begin: [0, 2], end: [0, 1] } as const;

const padCases = (['zero', 'reflect', 'edge'] as const).flatMap((mode) =>
  [...pads, ...(mode === 'reflect' ? [] : [narrow])].map(({ title, x, begin, end }) => ({
    title: `${mode}, ${title}`,
    x,
    attrs: { mode, begin, end },
  })),
);

const shuffles = [
  { title: '1-D', x: [2, 6, 5], y: [2, 3, 10], block: 2 },
  { title: '1-D, blocks of 3', x: [1, 6, 4], y: [1, 2, 12], block: 3 },
  { title: '2-D', x: [2, 8, 3, 4], y: [2, 2, 6, 8], block: 2 },
  { title: '2-D, blocks of 3, one voxel wide', x: [1, 9, 1, 2], y: [1, 1, 3, 6], block: 3 },
  { title: '3-D', x: [2, 16, 2, 3, 4], y: [2, 2, 4, 6, 8], block: 2 },
  { title: 'blocks of 1', x: [1, 2, 3, 2], y: [1, 2, 3, 2], block: 1 },
] as const;

const gathers = [
  { title: 'rows', x: [4, 3], indices: [5], values: [0, 3, 3, 1, 0], axis: 0 },
  { title: 'a table of channels', x: [2, 3, 2], indices: [2, 2], values: [2, 0, 1, 2], axis: 1 },
  { title: 'one scalar index', x: [4, 3], indices: [], values: [2], axis: 1 },
] as const;

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
  Concat: [
    {
      title: 'channels',
      inputs: [
        [2, 1, 3],
        [2, 3, 3],
        [2, 2, 3],
      ],
      attrs: { axis: 1 },
    },
    {
      title: 'the first axis',
      inputs: [
        [1, 2],
        [3, 2],
      ],
      attrs: { axis: 0 },
    },
    { title: 'one input', inputs: [[2, 3]], attrs: { axis: 1 } },
  ],
  Slice: slices.map(({ title, x, ...attrs }) => ({ title, inputs: [x], attrs })),
  SliceGrad: slices.map(({ title, x, ...attrs }) => ({
    title,
    inputs: [x.map((_, i) => Math.ceil((attrs.end[i]! - attrs.start[i]!) / attrs.step[i]!))],
    attrs: { ...attrs, shape: x },
  })),
  Pad: padCases.map(({ title, x, attrs }) => ({ title, inputs: [x], attrs })),
  PadGrad: padCases.map(({ title, x, attrs }) => ({
    title,
    inputs: [x.map((n, i) => attrs.begin[i]! + n + attrs.end[i]!)],
    attrs,
  })),
  Gather: gathers.map(({ title, x, indices, values, axis }) => ({
    title,
    inputs: [x, indices],
    attrs: { axis },
    values: [undefined, values],
    fixed: [1],
  })),
  GatherGrad: gathers.map(({ title, x, indices, values, axis }) => ({
    title,
    inputs: [[...x.slice(0, axis), ...indices, ...x.slice(axis + 1)], indices],
    attrs: { axis, length: x[axis]! },
    values: [undefined, values],
    fixed: [1],
  })),
  PixelShuffle: shuffles.map(({ title, x, block }) => ({ title, inputs: [x], attrs: { block } })),
  PixelShuffleGrad: shuffles.map(({ title, y, block }) => ({ title, inputs: [y], attrs: { block } })),
};
