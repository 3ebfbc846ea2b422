/** The operators on devices other than the CPU, against the interpreter. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceProviders, requireDevice, runOn, scaledDifference } from '../../test/support/device';
import { type OpCase, opCases } from '../../test/support/op-cases';
import { opGraph } from '../../test/support/op-graph';
import { Builder } from '../graph/builder';
import { interpret } from '../graph/interpret';
import type { Op } from '../graph/ops';

/** What differs from the interpreter, as text; nothing when all is well. */
async function differences<K extends Op>(provider: string, op: K, example: OpCase<K>): Promise<readonly string[]> {
  const { graph, feeds } = opGraph(op, example);
  const actual = await runOn(provider, graph, feeds);
  return [...interpret(graph, feeds)].flatMap(([name, expected]) => {
    // A sum whose terms cancel says nothing that its terms do not say.
    if (name === 'loss') return [];
    const error = scaledDifference(actual.get(name)!, expected);
    return error < 5e-6 ? [] : [`${op}, ${example.title}: ${name} by ${error}`];
  });
}

const ops = Object.keys(opCases) as Op[];

const small = fc.integer({ min: 1, max: 3 });

/** Convolutions with few numbers, among them many that the provider's own operator computes wrongly. */
const convolutions = fc
  .integer({ min: 1, max: 3 })
  .chain((rank) => {
    const perAxis = (n: fc.Arbitrary<number>) => fc.array(n, { minLength: rank, maxLength: rank });
    return fc.record({
      samples: fc.constantFrom(1, 2),
      ins: fc.integer({ min: 1, max: 12 }),
      outs: fc.integer({ min: 1, max: 8 }),
      groups: fc.constantFrom(1, 1, 2, 3),
      kernel: perAxis(small),
      stride: perAxis(small),
      dilation: perAxis(fc.constantFrom(1, 1, 2)),
      padding: perAxis(fc.integer({ min: 0, max: 2 })),
      more: perAxis(fc.integer({ min: 0, max: 4 })),
    });
  })
  .map(({ samples, ins, outs, groups, kernel, stride, dilation, padding, more }) => {
    const reach = kernel.map((k, i) => dilation[i]! * (k - 1) + 1);
    const lengths = reach.map((n, i) => Math.max(1, n - 2 * padding[i]! + more[i]!));
    const inputs = [
      [samples, ins * groups, ...lengths],
      [outs * groups, ins, ...kernel],
    ];
    return {
      title: JSON.stringify({ inputs, stride, padding, dilation, groups }),
      inputs,
      attrs: { stride, padding, dilation, groups },
    };
  });

describe.each(deviceProviders)('on %s', (provider) => {
  it('every operator computes and differentiates as in the interpreter', { timeout: 300_000 }, async (context) => {
    await requireDevice(provider, context);
    const wrong: string[] = [];
    for (const op of ops) {
      for (const example of opCases[op] as readonly OpCase<Op>[])
        wrong.push(...(await differences(provider, op, example)));
    }
    expect(wrong).toEqual([]);
  });

  it('convolutions of any shape do', { timeout: 300_000 }, async (context) => {
    await requireDevice(provider, context);
    const property = fc.asyncProperty(convolutions, async (example) => {
      expect(await differences(provider, 'Conv', example)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 150, seed: 1 });
  });

  it('an index outside an axis never goes unnoticed', async (context) => {
    await requireDevice(provider, context);
    for (const index of [-1, 3]) {
      const b = new Builder();
      b.output('y', b.emit('Gather', [b.input('x', [3]), b.input('i', [1])], { axis: 0 }));
      const feeds = new Map([
        ['x', Float32Array.of(1, 2, 3)],
        ['i', Float32Array.of(index)],
      ]);
      const y = runOn(provider, b.build(), feeds).then((results) => results.get('y')![0]!);
      await expect(y.catch(() => Number.NaN)).resolves.toBeNaN();
    }
  });
});
