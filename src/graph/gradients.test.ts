import { describe, expect, it } from 'vitest';
import { type OpCase, opCases } from '../../test/support/op-cases';
import { opGraph } from '../../test/support/op-graph';
import { interpret } from './interpret';
import type { Op } from './ops';
import { eliminateDeadCode } from './passes';
import { verify } from './verify';
import { vjpRules } from './vjp-rules';

const STEP = 1e-5;

/** Up to this many elements of an input are varied, spread evenly. */
const PROBES = 16;

describe.each(Object.keys(opCases) as Op[])('%s', (op) => {
  const rule = vjpRules[op];
  if (typeof rule !== 'function') {
    it('says why it has no derivative', () => expect(rule.notDifferentiable).toMatch(/\w+ \w+/));
    return;
  }
  it.each((opCases[op] as readonly OpCase<Op>[]).filter(({ kink }) => !kink))(
    'has the derivative that finite differences give: $title',
    (example) => {
      const { graph, feeds, differentiated } = opGraph(op, example);
      verify(graph);
      const results = interpret(graph, feeds);
      const forward = eliminateDeadCode({ ...graph, outputs: new Map([['loss', graph.outputs.get('loss')!]]) });
      for (const name of differentiated) {
        const x = Float64Array.from(feeds.get(name)!);
        const gradient = results.get(`d${name}`)!;
        expect(gradient.length).toBe(x.length);
        for (let i = 0; i < x.length; i += Math.ceil(x.length / PROBES)) {
          const at = (value: number): number => {
            const moved = new Map<string, ArrayLike<number>>(feeds).set(name, x.with(i, value));
            return interpret(forward, moved).get('loss')![0]!;
          };
          const difference = (at(x[i]! + STEP) - at(x[i]! - STEP)) / (2 * STEP);
          expect(Math.abs(gradient[i]! - difference), `d${name}[${i}]`).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
        }
      }
    },
  );
});
