import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyAffine,
  identity,
  inverse,
  isClose,
  multiply,
  polarFactor,
  shiftOrigin,
  spacingOf,
  transpose,
  tryInverse,
  zoomAndShear,
} from './affine';

const entry = fc.double({ min: -5, max: 5, noNaN: true });
/** Matrices with a dominant diagonal: far from singular. */
const matrix = fc
  .array(fc.array(entry, { minLength: 3, maxLength: 3 }), { minLength: 3, maxLength: 3 })
  .map((rows) => rows.map((row, i) => row.map((value, j) => (i === j ? value + Math.sign(value || 1) * 15 : value))));

describe('matrices', () => {
  it('times their inverse are the identity', () => {
    fc.assert(fc.property(matrix, (m) => isClose(multiply(m, inverse(m)), identity(3), 1e-9)));
  });

  it('without an inverse are told', () => {
    expect(
      tryInverse([
        [1, 2],
        [2, 4],
      ]),
    ).toBeUndefined();
    expect(
      tryInverse([
        [Number.NaN, 0],
        [0, 1],
      ]),
    ).toBeUndefined();
    expect(() =>
      inverse([
        [0, 0],
        [0, 0],
      ]),
    ).toThrow('has no inverse');
  });

  it('split into a rotation and an upper triangle with a positive diagonal', () => {
    fc.assert(
      fc.property(matrix, (m) => {
        const upper = zoomAndShear(m);
        const rotation = multiply(m, inverse(upper));
        expect(isClose(multiply(transpose(rotation), rotation), identity(3), 1e-9)).toBe(true);
        expect([upper[1]![0], upper[2]![0], upper[2]![1]]).toEqual([0, 0, 0]);
        expect(Math.min(upper[0]![0]!, upper[1]![1]!, upper[2]![2]!)).toBeGreaterThan(0);
      }),
    );
  });

  it('have an orthogonal polar factor, that of a scaled rotation being the rotation', () => {
    fc.assert(
      fc.property(matrix, (m) => {
        const q = polarFactor(m);
        return isClose(multiply(transpose(q), q), identity(3), 1e-9);
      }),
    );
    const turn = [
      [0, -1, 0],
      [1, 0, 0],
      [0, 0, -1],
    ];
    expect(isClose(polarFactor(turn.map((row) => row.map((value) => 3 * value))), turn, 1e-12)).toBe(true);
  });
});

describe('an affine', () => {
  const affine = [
    [0, -2, 0, 10],
    [3, 0, 0, 20],
    [0, 0, 1, 30],
    [0, 0, 0, 1],
  ];

  it('gives voxel sizes and world points', () => {
    expect(spacingOf(affine)).toEqual([3, 2, 1]);
    expect(applyAffine(affine, [1, 2, 3])).toEqual([6, 23, 33]);
  });

  it('keeps the world points of a crop', () => {
    expect(applyAffine(shiftOrigin(affine, [1, 1, 1]), [0, 1, 2])).toEqual(applyAffine(affine, [1, 2, 3]));
  });
});
