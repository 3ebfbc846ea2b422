/** Calls large enough for the runtime to share them out among threads: for tests that bits do not depend on those. */
import type { Op } from '../../../src/graph/ops';
import type { OpCases } from './case';
import { casesOfConvolutions } from './conv';

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
]);

export const largeOpCases: Partial<OpCases<Op>> = { ...convolutions };
