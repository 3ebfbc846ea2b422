import { describe, expect, it } from 'vitest';
import { type OpCase, opCases } from '../../test/support/op-cases';
import { largeOpCases } from '../../test/support/op-cases/large';
import { opGraph } from '../../test/support/op-graph';
import type { Op } from '../graph/ops';
import { toOnnx } from './export';
import { openSession } from './session';
import { type Target, targetFor } from './target';

/** All outputs of the graph with so many threads. */
async function bits(model: Uint8Array, inputs: ReturnType<typeof feedsOf>, threads: number) {
  return (await openSession(model, { threads })).run(inputs);
}

function feedsOf({ graph, feeds }: ReturnType<typeof opGraph>) {
  return new Map([...graph.inputs].map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const));
}

async function expectEqualBits<K extends Op>(op: K, example: OpCase<K>, target: Target): Promise<void> {
  const call = opGraph(op, example);
  const [model, inputs] = [toOnnx(call.graph, target), feedsOf(call)];
  const first = await bits(model, inputs, 1);
  for (const threads of [2, 3]) {
    const again = await bits(model, inputs, threads);
    for (const [name, data] of first) expect(Buffer.compare(raw(again.get(name)!), raw(data)), name).toBe(0);
  }
}

const raw = (data: Float32Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

describe.each(Object.keys(opCases) as Op[])('%s', (op) => {
  const cases = (largeOpCases[op] ?? opCases[op]) as readonly OpCase<Op>[];
  it.each(cases)('gives the same bits with 1, 2 and 3 threads: $title', async (example) =>
    expectEqualBits(op, example, await targetFor('cpu')),
  );
});
