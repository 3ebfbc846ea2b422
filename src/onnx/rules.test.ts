import { describe, expect, it } from 'vitest';
import { type OpCase, opCases } from '../../test/support/op-cases';
import { opGraph } from '../../test/support/op-graph';
import { interpret } from '../graph/interpret';
import type { Op } from '../graph/ops';
import { toOnnx } from './export';
import { openSession } from './session';

describe.each(Object.keys(opCases) as Op[])('%s', (op) => {
  it.each(opCases[op] as readonly OpCase<Op>[])(
    'computes and differentiates in the runtime as in the interpreter: $title',
    async (example) => {
      const { graph, feeds } = opGraph(op, example);
      const expected = interpret(graph, feeds);
      const session = await openSession(toOnnx(graph), { threads: 1 });
      const inputs = [...graph.inputs].map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const);
      const results = await session.run(new Map(inputs));
      for (const [name, reference] of expected) {
        const actual = results.get(name)!;
        expect(actual.length, name).toBe(reference.length);
        const scale = 1 + reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const error = reference.reduce((most, x, i) => Math.max(most, Math.abs(x - actual[i]!)), 0);
        expect(error / scale, name).toBeLessThan(2e-6);
      }
    },
  );
});
