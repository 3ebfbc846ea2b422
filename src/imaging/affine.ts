/**
 * Small dense matrices in float64, and voxel-to-world affines: 4×4, row by row, millimetres in RAS+ world space.
 *
 * @module
 */
import { InternalError } from '../errors';

/** A matrix as rows. */
export type Matrix = readonly (readonly number[])[];

/** 4×4 voxel index → world (RAS+, mm); the last row is 0 0 0 1. */
export type Affine = Matrix;

/** Two affines closer than this in every entry are the same geometry (voxels or millimetres). */
export const AFFINE_TOLERANCE = 1e-3;

/** The n×n identity. */
export function identity(n: number): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
}

/** The matrix product `a · b`. */
export function multiply(a: Matrix, b: Matrix): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

export function transpose(a: Matrix): number[][] {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}

/** The inverse by Gauss–Jordan elimination with partial pivoting, or undefined when the matrix is singular. */
export function tryInverse(a: Matrix): number[][] | undefined {
  const n = a.length;
  const work = a.map((row, i) => [...row, ...identity(n)[i]!]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) {
      if (Math.abs(work[i]![column]!) > Math.abs(work[pivot]![column]!)) pivot = i;
    }
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const scale = work[column]![column]!;
    if (!Number.isFinite(scale) || scale === 0) return undefined;
    work[column] = work[column]!.map((value) => value / scale);
    for (let i = 0; i < n; i++) {
      if (i === column) continue;
      const factor = work[i]![column]!;
      if (factor !== 0) work[i] = work[i]!.map((value, j) => value - factor * work[column]![j]!);
    }
  }
  return work.map((row) => row.slice(n));
}

/** The inverse. @throws InternalError when singular: readers refuse singular affines, so this is a bug. */
export function inverse(a: Matrix): number[][] {
  const result = tryInverse(a);
  if (result === undefined) throw new InternalError(`The matrix [${a.join('; ')}] has no inverse.`);
  return result;
}

/** The upper triangular U with UᵀU = MᵀM and a positive diagonal, for an invertible M: the "zoom and shear" part of M. */
export function zoomAndShear(m: Matrix): number[][] {
  const gram = multiply(transpose(m), m);
  const n = gram.length;
  const upper = identity(n).map((row) => row.map(() => 0));
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      let sum = gram[i]![j]!;
      for (let k = 0; k < i; k++) sum -= upper[k]![i]! * upper[k]![j]!;
      upper[i]![j] = i === j ? Math.sqrt(sum) : sum / upper[i]![i]!;
    }
  }
  return upper;
}

/** The nearest orthogonal matrix (polar factor) by Newton's iteration X ← (X + X⁻ᵀ)/2 (Higham 1986). */
export function polarFactor(m: Matrix): number[][] {
  let x = m.map((row) => [...row]);
  for (let step = 0; step < 100; step++) {
    const inverseTransposed = transpose(inverse(x));
    const next = x.map((row, i) => row.map((value, j) => (value + inverseTransposed[i]![j]!) / 2));
    const change = Math.max(...next.flatMap((row, i) => row.map((value, j) => Math.abs(value - x[i]![j]!))));
    x = next;
    if (change < 1e-14) break;
  }
  return x;
}

/** The upper left 3×3 of an affine. */
export function linearPart(affine: Affine): number[][] {
  return affine.slice(0, 3).map((row) => row.slice(0, 3));
}

/** An affine from its 3×3 part and its origin. */
export function affineOf(linear: Matrix, origin: readonly number[]): number[][] {
  return [...linear.map((row, i) => [...row, origin[i]!]), [0, 0, 0, 1]];
}

/** Voxel sizes in mm: the lengths of the first three columns. */
export function spacingOf(affine: Affine): [number, number, number] {
  const length = (j: number): number => Math.hypot(affine[0]![j]!, affine[1]![j]!, affine[2]![j]!);
  return [length(0), length(1), length(2)];
}

/** The affine of an image whose voxel 0 is voxel `start` of the image of `affine`. */
export function shiftOrigin(affine: Affine, start: readonly number[]): number[][] {
  return multiply(affine, affineOf(identity(3), start));
}

/** The world point of voxel `index`. */
export function applyAffine(affine: Affine, index: readonly number[]): number[] {
  return affine.slice(0, 3).map((row) => row[0]! * index[0]! + row[1]! * index[1]! + row[2]! * index[2]! + row[3]!);
}

/** Whether two matrices agree within `tolerance` in every entry. */
export function isClose(a: Matrix, b: Matrix, tolerance = AFFINE_TOLERANCE): boolean {
  return a.every((row, i) => row.every((value, j) => Math.abs(value - b[i]![j]!) <= tolerance));
}
