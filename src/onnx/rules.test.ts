import { describe, expect, it } from 'vitest';
import { type OpCase, opCases } from '../../test/support/op-cases';
import { opGraph } from '../../test/support/op-graph';
import { interpret } from '../graph/interpret';
import type { Op } from '../graph/ops';
import { toOnnx } from './export';
import { openSession } from './session';
import { type Target, targetFor } from './target';

/**
 * The same graph on the standard operators, as on this machine, with blocks of channels wherever they are possible, and in
 * the forms for WebGPU: run here, so that they are tested without a device, too.
 */
const targets = ['standard', 'this machine', 'always blocked', 'webgpu'] as const;

async function targetOf(name: (typeof targets)[number]): Promise<Target> {
  if (name === 'standard') return {};
  if (name === 'webgpu') return { device: 'webgpu' };
  const target = await targetFor('cpu');
  return name === 'this machine' ? target : { ...target, alwaysBlocked: true };
}

describe.each(Object.keys(opCases) as Op[])('%s', (op) => {
  const cases = opCases[op] as readonly OpCase<Op>[];
  it.each(cases)('computes and differentiates in the runtime as in the interpreter: $title', async (example) => {
    const { graph, feeds } = opGraph(op, example);
    const expected = interpret(graph, feeds);
    const inputs = [...graph.inputs].map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const);
    for (const target of targets) {
      const session = await openSession(toOnnx(graph, await targetOf(target)), { threads: 1 });
      const results = await session.run(new Map(inputs));
      for (const [name, reference] of expected) {
        // A sum whose terms cancel says nothing that its terms do not say.
        if (name === 'loss') continue;
        const actual = results.get(name)!;
        expect(actual.length, name).toBe(reference.length);
        const scale = 1 + reference.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const error = reference.reduce((most, x, i) => Math.max(most, Math.abs(x - actual[i]!)), 0);
        expect(error / scale, `${name} for ${target}`).toBeLessThan(2e-6);
      }
    }
  });
});
