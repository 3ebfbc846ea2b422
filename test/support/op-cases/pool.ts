import type { PoolOps } from '../../../src/graph/ops/pool';
import type { Shape } from '../../../src/tensor/tensor';
import type { OpCase, OpCases } from './case';

/** One pooling: from it, cases of the four operators. */
export interface PoolCase {
  readonly title: string;
  readonly x: Shape;
  readonly y: Shape;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

const poolings: readonly PoolCase[] = [
  { title: '1-D', x: [2, 3, 8], y: [2, 3, 4], kernel: [2], stride: [2], padding: [0] },
  { title: '1-D, padded, as many as would tile', x: [1, 2, 6], y: [1, 2, 2], kernel: [3], stride: [3], padding: [1] },
  { title: '2-D', x: [2, 3, 4, 6], y: [2, 3, 2, 3], kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
  { title: '2-D, rows left over', x: [1, 2, 5, 7], y: [1, 2, 2, 2], kernel: [2, 3], stride: [2, 3], padding: [0, 0] },
  { title: '2-D, overlapping', x: [1, 2, 5, 6], y: [1, 2, 3, 4], kernel: [3, 3], stride: [1, 1], padding: [0, 0] },
  {
    title: '3-D, kernel 2, stride 1',
    x: [1, 3, 3, 5, 4],
    y: [1, 3, 2, 4, 3],
    kernel: [2, 2, 2],
    stride: [1, 1, 1],
    padding: [0, 0, 0],
  },
  { title: '2-D, padded, stride 1', x: [1, 2, 5, 4], y: [1, 2, 5, 4], kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
  {
    title: '2-D, overlapping, padded, stride 2',
    x: [2, 2, 7, 6],
    y: [2, 2, 4, 3],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
  },
  {
    title: '2-D, gaps between windows',
    x: [1, 2, 7, 8],
    y: [1, 2, 2, 3],
    kernel: [2, 1],
    stride: [4, 3],
    padding: [0, 0],
  },
  {
    title: '2-D, padded windows that touch',
    x: [1, 1, 4, 6],
    y: [1, 1, 3, 4],
    kernel: [2, 2],
    stride: [2, 2],
    padding: [1, 1],
  },
  { title: '3-D', x: [1, 2, 4, 2, 6], y: [1, 2, 2, 1, 3], kernel: [2, 2, 2], stride: [2, 2, 2], padding: [0, 0, 0] },
  {
    title: '3-D, overlapping, padded, one voxel wide',
    x: [1, 2, 5, 1, 3],
    y: [1, 2, 3, 1, 2],
    kernel: [3, 1, 3],
    stride: [2, 2, 2],
    padding: [1, 0, 1],
  },
  {
    title: '3-D, the whole volume',
    x: [2, 3, 2, 3, 4],
    y: [2, 3, 1, 1, 1],
    kernel: [2, 3, 4],
    stride: [1, 1, 1],
    padding: [0, 0, 0],
  },
];

/** The cases that some poolings make. */
export const casesOfPoolings = (calls: readonly PoolCase[]): OpCases<Exclude<keyof PoolOps, 'GlobalAveragePool'>> => {
  const attrs = ({ kernel, stride, padding }: PoolCase) => ({ kernel, stride, padding });
  const padded = (call: PoolCase): readonly boolean[] => (call.padding.some((p) => p > 0) ? [true, false] : [true]);
  const averages = calls.flatMap((call) =>
    padded(call).map((countIncludePad) => ({
      call,
      title: countIncludePad ? call.title : `${call.title}, padding not counted`,
      attrs: { ...attrs(call), countIncludePad },
    })),
  );
  return {
    MaxPool: calls.map((call) => ({ title: call.title, inputs: [call.x], attrs: attrs(call) })),
    MaxPoolGrad: calls.map((call) => ({ title: call.title, inputs: [call.y, call.x], attrs: attrs(call) })),
    AveragePool: averages.map(({ call, ...example }) => ({ ...example, inputs: [call.x] })),
    AveragePoolGrad: averages.map(({ call, title, attrs }) => ({
      title,
      inputs: [call.y],
      attrs: { ...attrs, spatial: call.x.slice(2) },
    })),
  };
};

/** Windows whose maximum stands in several places, as after a ReLU. */
const ties: readonly OpCase<'MaxPool'>[] = [
  {
    title: 'ties go to the first place',
    inputs: [[1, 1, 4, 4]],
    values: [[0, 0, 1, 2, 0, 0, 2, 2, 3, 3, 0, 5, 3, 3, 5, 0]],
    attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0] },
    kink: true,
  },
  {
    title: 'ties of windows that overlap',
    inputs: [[1, 2, 2, 4]],
    values: [[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0]],
    attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
    kink: true,
  },
];

const cases = casesOfPoolings(poolings);

export const poolCases: OpCases<keyof PoolOps> = {
  ...cases,
  MaxPool: [...cases.MaxPool, ...ties],
  GlobalAveragePool: [
    { title: '1-D', inputs: [[2, 3, 5]], attrs: {} },
    { title: '3-D', inputs: [[2, 2, 3, 1, 4]], attrs: {} },
    { title: '2-D, many positions', inputs: [[1, 2, 64, 96]], attrs: {} },
  ],
};
