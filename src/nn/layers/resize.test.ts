import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import type { Op } from '../../graph/ops';
import { resize } from './resize';

function opsOf(write: (b: Builder) => unknown): readonly Op[] {
  const b = new Builder();
  write(b);
  return b.nodes.map(({ op }) => op);
}

describe('resize', () => {
  it('uses the operator for doubling where it is one', () => {
    const linear = { mode: 'linear', scale: 2 } as const;
    expect(opsOf((b) => resize(b, b.input('x', [1, 2, 3, 4]), linear))).toEqual(['UpsampleLinear']);
    expect(opsOf((b) => resize(b, b.input('x', [1, 2, 3, 4]), { ...linear, alignCorners: true }))).toEqual(['Resize']);
  });

  it('rounds scaled lengths down', () => {
    const b = new Builder();
    const x = b.input('x', [1, 2, 5, 5]);
    expect(resize(b, x, { scale: [1.5, 0.5] }).shape).toEqual([1, 2, 7, 2]);
    expect(resize(b, x, { size: [1, 9] }).shape).toEqual([1, 2, 1, 9]);
  });

  it('refuses grids without voxels, and corners aligned without interpolation', () => {
    const b = new Builder();
    const x = b.input('x', [1, 2, 5]);
    expect(() => resize(b, x, { scale: 0.1 })).toThrow(/the result \[0\] must have at least one voxel/);
    expect(() => resize(b, x, { scale: [1, 1] })).toThrow(/scale \[1,1\] must give a positive number for each of 1/);
    expect(() => resize(b, x, { size: [3], alignCorners: true })).toThrow(/aligned corners are for linear/);
  });
});
