/** Runs SegResNet as the golden files describe, on the interpreter and on the runtime. */

import type { Graph } from '../../src/graph/graph';
import { interpret } from '../../src/graph/interpret';
import type { Model } from '../../src/nn/model';
import type { LossOptions } from '../../src/nn/step-graph';
import { toOnnx } from '../../src/onnx/export';
import { openSession } from '../../src/onnx/session';
import { targetFor } from '../../src/onnx/target';
import { float32, type NamedTensors, type Shape, sizeOf } from '../../src/tensor/tensor';
import { fill as u } from '../golden/fill';

/** What the golden files keep of a tensor. */
export interface Stats {
  readonly sum: number;
  readonly l2: number;
  /** Σ t[j]·(2u(5000 + index, j) − 1): sees the order of the elements. */
  readonly projection?: number;
}

export function statsOf(t: ArrayLike<number>, index = 0): Required<Stats> {
  let [sum, squares, projection] = [0, 0, 0];
  for (let j = 0; j < t.length; j++) {
    sum += t[j]!;
    squares += t[j]! ** 2;
    projection += t[j]! * (2 * u(5000 + index, j) - 1);
  }
  return { sum, l2: Math.sqrt(squares), projection };
}

/** The largest difference of the statistics, relative to the tensor's norm. */
export function statsError(t: ArrayLike<number>, expected: Stats, index = 0): number {
  const actual = statsOf(t, index);
  const errors = [actual.sum - expected.sum, actual.l2 - expected.l2];
  if (expected.projection !== undefined) errors.push(actual.projection - expected.projection);
  return Math.max(...errors.map(Math.abs)) / Math.max(expected.l2, 1e-30);
}

/** ‖actual − expected‖ / ‖expected‖. */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let j = 0; j < expected.length; j++) {
    difference += (actual[j]! - expected[j]!) ** 2;
    norm += expected[j]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = 0;
  for (let j = 0; j < expected.length; j++) most = Math.max(most, Math.abs(actual[j]! - expected[j]!));
  return most;
}

/** Weights from the hash: convolutions in ±1/√fanIn, norm scales about 1, norm shifts about 0. */
export function hashWeights(model: Model): NamedTensors {
  return new Map(
    model.parameters.map(({ name, shape, initialiser }, i) => {
      const value = (j: number): number => {
        if (initialiser.kind === 'uniform') return (2 * u(i, j) - 1) / Math.sqrt(initialiser.fanIn);
        return (initialiser.kind === 'normal' ? initialiser.mean : initialiser.value) + 0.2 * (u(i, j) - 0.5);
      };
      return [
        name,
        float32(
          shape,
          Float32Array.from({ length: sizeOf(shape) }, (_, j) => value(j)),
        ),
      ];
    }),
  );
}

export function hashImage(shape: Shape): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, j) => (u(1000, j) - 0.5) * 4);
}

export const bratsLoss: LossOptions = { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true };

export type Numbers = ReadonlyMap<string, Float32Array>;

export function dataOf(tensors: NamedTensors): Numbers {
  return new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
}

/** The outputs of a graph in float64 and as the runtime computes them on this machine. */
export async function both(graph: Graph, feeds: Numbers) {
  const session = await openSession(toOnnx(graph, await targetFor('cpu')), { threads: 2 });
  const inputs = [...graph.inputs, ...graph.parameters].map(([name, { shape }]) => {
    return [name, { shape, data: feeds.get(name)! }] as const;
  });
  return { f64: interpret(graph, feeds), f32: await session.run(new Map(inputs)) };
}
