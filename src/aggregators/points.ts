/**
 * Updates as points: all floating-point numbers of an update are one vector, in float64 arithmetic. What the robust rules are
 * made of. All sums run in site order, or in the order of size, so that equal updates give equal bits.
 *
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AggregatorOptions } from './aggregator';

type Numbers = Float32Array | Float64Array;

/** The floating-point tensors of an update, in the order of the model. */
export type Point = readonly Numbers[];

/** So many numbers of all updates fit into a cache. */
const blockSize = 4096;

/** What updates are differences to: zeros, or the global model where they are whole. */
export function originOf({ kind, reference }: AggregatorOptions): Float64Array[] {
  const floats = [...reference.values()].flatMap(({ data }) => (isNumbers(data) ? [data] : []));
  return floats.map((data) => (kind === 'weights' ? Float64Array.from(data) : new Float64Array(data.length)));
}

export function isNumbers(data: unknown): data is Numbers {
  return data instanceof Float32Array || data instanceof Float64Array;
}

/**
 * Calls `visit` with each block of each tensor. Between tensors other work of the process has its turn, because a server
 * also has connections to look after.
 */
export async function forEachBlock(
  like: Point,
  visit: (tensor: number, from: number, to: number) => void,
): Promise<void> {
  for (const [t, { length }] of like.entries()) {
    for (let from = 0; from < length; from += blockSize) visit(t, from, Math.min(length, from + blockSize));
    await nextTurn();
  }
}

/** ‖xᵢ − xⱼ‖² of all pairs, as a matrix. Differences first: the form with products loses all digits of near points. */
export async function squaredDistances(points: readonly Point[]): Promise<Float64Array[]> {
  const matrix = points.map(() => new Float64Array(points.length));
  await forEachBlock(points[0]!, (t, from, to) => {
    for (let i = 0; i < points.length; i++) {
      for (let j = i + 1; j < points.length; j++) {
        matrix[i]![j]! += squaredDistance(points[i]![t]!, points[j]![t]!, from, to);
        matrix[j]![i] = matrix[i]![j]!;
      }
    }
  });
  return matrix;
}

/** ‖xᵢ − centre‖ of each point. */
export async function distancesTo(centre: Point, points: readonly Point[]): Promise<Float64Array> {
  const squares = new Float64Array(points.length);
  await forEachBlock(centre, (t, from, to) => {
    for (const [i, point] of points.entries()) squares[i]! += squaredDistance(point[t]!, centre[t]!, from, to);
  });
  return squares.map(Math.sqrt);
}

function squaredDistance(a: Numbers, b: Numbers, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) {
    const difference = a[k]! - b[k]!;
    sum += difference * difference;
  }
  return sum;
}

/**
 * Moves the centre, in place, by Σ fᵢ·(xᵢ − centre).
 *
 * @param factors of the points; a point with 0 does not count, however far it is
 * @returns how far it moved
 */
export async function moveTowards(
  centre: readonly Float64Array[],
  points: readonly Point[],
  factors: Float64Array,
): Promise<number> {
  const pulling = points.flatMap((point, i) => (factors[i]! > 0 ? [{ point, factor: factors[i]! }] : []));
  let square = 0;
  await forEachBlock(centre, (t, from, to) => {
    const at = centre[t]!;
    for (let k = from; k < to; k++) {
      let step = 0;
      for (const { point, factor } of pulling) step += factor * (point[t]![k]! - at[k]!);
      at[k]! += step;
      square += step * step;
    }
  });
  return Math.sqrt(square);
}
