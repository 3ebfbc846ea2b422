/** Devices other than the CPU, where this machine has any: tests that need one are skipped, saying why, where there is none. */
import type { TestContext } from 'vitest';
import { Builder } from '../../src/graph/builder';
import type { Graph } from '../../src/graph/graph';
import { toOnnx } from '../../src/onnx/export';
import { openSession } from '../../src/onnx/session';
import { targetFor } from '../../src/onnx/target';

/** Providers that compute on devices. */
export const deviceProviders = ['webgpu', 'cuda'] as const;

/** Skips the test, saying why, where the provider has no device. */
export async function requireDevice(provider: string, { skip }: TestContext): Promise<void> {
  const b = new Builder();
  b.output('y', b.neg(b.input('x', [1])));
  try {
    await openSession(toOnnx(b.build()), { threads: 1, provider });
  } catch (error) {
    skip(`no device for '${provider}': ${(error as Error).message.split('\n')[0]}`);
  }
}

/** The outputs of a graph as the provider computes them. */
export async function runOn(provider: string, graph: Graph, feeds: ReadonlyMap<string, Float32Array>) {
  const session = await openSession(toOnnx(graph, await targetFor(provider)), { threads: 1, provider });
  const inputs = [...graph.inputs, ...graph.parameters].map(([name, { shape }]) => {
    return [name, { shape, data: feeds.get(name)! }] as const;
  });
  return session.run(new Map(inputs));
}

/** The largest difference, relative to 1 and to the largest element; infinite where one is not a number. */
export function scaledDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [most, scale] = [0, 1];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    most = Math.max(most, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return actual.length === expected.length ? most / scale : Number.POSITIVE_INFINITY;
}
