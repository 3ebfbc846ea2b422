/**
 * Rotations as the quaternions of a NIfTI qform.
 *
 * @module
 */
import { identity, isClose, type Matrix, multiply, transpose } from '../affine';

/** A unit quaternion (a ≥ 0 implied) and the sign of the third axis. */
export interface QformRotation {
  readonly bcd: readonly [number, number, number];
  /** −1 when the matrix mirrors: its third column is then negated first. */
  readonly qfac: 1 | -1;
}

/** The quaternion of an orthogonal 3×3 matrix, or undefined when it is not one (a sheared affine). */
export function quaternionOf(matrix: Matrix): QformRotation | undefined {
  if (!isClose(multiply(transpose(matrix), matrix), identity(3), 1e-5)) return undefined;
  const qfac = determinant(matrix) < 0 ? -1 : 1;
  const r = matrix.map((row) => [row[0]!, row[1]!, row[2]! * qfac]);
  // Four times the squares of a, b, c and d: the largest is safe to divide by (Shepperd 1978).
  const [xx, yy, zz] = [r[0]![0]!, r[1]![1]!, r[2]![2]!];
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz];
  const largest = squares.indexOf(Math.max(...squares));
  const [sx, sy, sz] = [r[2]![1]! - r[1]![2]!, r[0]![2]! - r[2]![0]!, r[1]![0]! - r[0]![1]!];
  const [xy, xz, yz] = [r[0]![1]! + r[1]![0]!, r[0]![2]! + r[2]![0]!, r[1]![2]! + r[2]![1]!];
  const rows = [
    [squares[0]!, sx, sy, sz],
    [sx, squares[1]!, xy, xz],
    [sy, xy, squares[2]!, yz],
    [sz, xz, yz, squares[3]!],
  ];
  const [a, b, c, d] = rows[largest]!.map((value) => value / (2 * Math.sqrt(squares[largest]!))) as [
    number,
    number,
    number,
    number,
  ];
  const sign = a < 0 ? -1 : 1;
  return { bcd: [sign * b, sign * c, sign * d], qfac };
}

function determinant(m: Matrix): number {
  const [a, b, c] = m as [number[], number[], number[]];
  return (
    a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) -
    a[1]! * (b[0]! * c[2]! - b[2]! * c[0]!) +
    a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!)
  );
}
