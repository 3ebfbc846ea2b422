import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskedAggregator, aggregated, type Row, roundOf, sevenRows } from '../../test/support/aggregation';
import { aggregatorSpec, fewestUpdates } from '../jobs/aggregator-spec';
import { firstNonFinite } from '../tensor/first-non-finite';
import { float32, type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { median } from './median';

/** One of each; with f = 1 where they know f. */
const rules: readonly AskedAggregator[] = [
  { kind: 'median' },
  { kind: 'trimmed-mean', share: 0.2 },
  { kind: 'krum', faulty: 1 },
  { kind: 'multi-krum', faulty: 1 },
  { kind: 'bulyan', faulty: 1 },
  { kind: 'geometric-median' },
  { kind: 'centred-clipping', radius: 2, iterations: 3 },
  { kind: 'norm-clipping', maxNorm: 2 },
];
/** Which move with the updates when all of these move, or grow. Clipping has a scale and a centre of its own. */
const equivariant = rules.filter(({ kind }) => !kind.endsWith('clipping'));
/** Which hold whatever one site of seven sends. */
const bounded = equivariant;

const number = fc.double({ noNaN: true, min: -1e3, max: 1e3 });
const row = fc.tuple(number, number, number);
const sevenOf = fc.tuple(row, row, row, row, row, row, row);

function distance(a: Row, b: Row): number {
  return Math.hypot(...a.map((x, i) => x - b[i]!));
}

function diameter(rows: readonly Row[]): number {
  return Math.max(...rows.flatMap((a) => rows.map((b) => distance(a, b))));
}

describe.each(rules)('the aggregator $kind', (rule) => {
  it('gives the same bits in every order of arrival', async () => {
    const shuffled = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 });
    await fc.assert(
      fc.asyncProperty(sevenOf, shuffled, async (rows, arrival) => {
        expect(await aggregated(rule, rows, { arrival })).toEqual(await aggregated(rule, rows));
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('takes whole weights as it takes differences', async () => {
    const reference = [3, -2, 7];
    const whole = sevenRows.map((one) => one.map((x, i) => x + reference[i]!));
    const ofWhole = await aggregated(rule, whole, { reference, options: { kind: 'weights' } });
    const ofDifferences = await aggregated(rule, sevenRows, { reference });
    for (const [i, x] of ofDifferences.entries()) expect(ofWhole[i]).toBeCloseTo(x, 12);
  });

  it('ignores how many steps a site says it took', async () => {
    const steps = [1, 1000, 3, 4, 5, 6, 1000];
    expect(await aggregated(rule, sevenRows, { steps })).toEqual(await aggregated(rule, sevenRows));
  });

  it('gives what all sites sent when they sent the same, also zeros', async () => {
    for (const same of [
      [0.1, -0.2, 0.3],
      [0, 0, 0],
    ]) {
      const found = await aggregated(rule, Array(7).fill(same));
      for (const [i, x] of same.entries()) expect(found[i]).toBeCloseTo(x, 14);
    }
  });

  it('refuses numbers that are none, and is finite for the largest there are', async () => {
    const bad = roundOf(rule, sevenRows.slice(0, 6), { sites: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] });
    const payload = { kind: 'weight-diff', tensors: new Map(), metrics: {}, steps: 1 } as const;
    const tensors = new Map([['w', tensor('float64', [3], Float64Array.of(1, Number.NaN, 1))]]);
    expect(() => bad.add({ site: 'g', round: 0, payload: { ...payload, tensors } })).toThrow(/not finite at element 1/);
    const huge = [...sevenRows.slice(0, 6), [1e308, -1e308, 1e308]];
    expect((await aggregated(rule, huge)).every(Number.isFinite)).toBe(true);
  });

  it('fails the round loudly when sites are missing in it', async () => {
    const fewest = fewestUpdates(aggregatorSpec.parse(rule));
    const sites = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const rows = sevenRows.slice(0, fewest - 1);
    await expect(
      aggregated(rule, rows.length > 0 ? rows : [[0]], { sites, arrival: [...rows.keys()] }),
    ).rejects.toThrow(new RegExp(`'${rule.kind}' needs ${fewest} update.*but got ${fewest - 1}`));
    if (fewest < 7) expect(await aggregated(rule, sevenRows.slice(0, fewest), { sites })).toHaveLength(3);
  });
});

describe.each(equivariant)('the aggregator $kind', (rule) => {
  // Which updates Krum chooses changes at once where two are equally near: there, numbers that float64 shifts and scales exactly.
  const chooses = ['krum', 'multi-krum', 'bulyan'].includes(rule.kind);
  const x = chooses ? fc.integer({ min: -1000, max: 1000 }) : number;
  const rowOf = fc.tuple(x, x, x);
  const factor = chooses ? fc.constantFrom(0.125, 0.5, 4, 1024) : fc.double({ noNaN: true, min: 0.1, max: 10 });
  // Weiszfeld's steps end at a billionth of the distances; the others differ by rounding only.
  const digits = rule.kind === 'geometric-median' ? 1e-7 : 1e-12;

  it('moves and grows with the updates', async () => {
    const seven = fc.tuple(rowOf, rowOf, rowOf, rowOf, rowOf, rowOf, rowOf);
    await fc.assert(
      fc.asyncProperty(seven, rowOf, factor, async (rows, shift, by) => {
        const plain = await aggregated(rule, rows);
        const found = await aggregated(
          rule,
          rows.map((one) => one.map((value, i) => by * value + shift[i]!)),
        );
        for (const [i, value] of plain.entries()) {
          const expected = by * value + shift[i]!;
          expect(Math.abs(found[i]! - expected)).toBeLessThan(digits * (1 + 1000 * by));
        }
      }),
      { seed: 2, numRuns: 100 },
    );
  });
});

describe.each(bounded)('the aggregator $kind', (rule) => {
  it('moves by no more than the honest sites are apart, whatever one of seven sends', async () => {
    const huge = fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(1e30, -1e30)));
    await fc.assert(
      fc.asyncProperty(sevenOf, huge, fc.nat(6), async (rows, attack, at) => {
        const honest = rows.filter((_, k) => k !== at);
        const clean = await aggregated(rule, rows);
        const attacked = await aggregated(rule, rows.with(at, attack as [number, number, number]));
        const smoothing = rule.kind === 'geometric-median' ? 1e-6 : 0;
        expect(distance(clean, attacked)).toBeLessThanOrEqual(diameter(rows) + smoothing);
        const nearest = Math.min(...honest.map((one) => distance(one, attacked)));
        expect(nearest).toBeLessThanOrEqual(diameter(honest) + smoothing);
      }),
      { seed: 3, numRuns: 100 },
    );
  });
});

describe('the hull of the honest sites', () => {
  it.each<[AskedAggregator, number, number]>([
    [{ kind: 'median' }, 3, 1],
    [{ kind: 'median' }, 7, 3],
    [{ kind: 'median' }, 8, 3],
    [{ kind: 'trimmed-mean', share: 0.2 }, 7, 1],
    [{ kind: 'trimmed-mean', share: 0.3 }, 7, 2],
  ])('holds number by number, in 10 000 cases: %o, %i sites, %i wrong', async (rule, sites, wrong) => {
    const cases = 10_000;
    // The numbers of a model are cases of their own: honest ones near each other, and others anywhere.
    const draw = pseudoRandom(7);
    const honest = Array.from({ length: sites - wrong }, () => Array.from({ length: cases }, () => draw() - 0.5));
    const attackers = Array.from({ length: wrong }, () =>
      Array.from({ length: cases }, () => (draw() - 0.5) * 10 ** Math.round(30 * draw() - 5)),
    );
    const found = await aggregated(rule, [...attackers, ...honest]);
    for (const [k, x] of found.entries()) {
      const values = honest.map((one) => one[k]!);
      if (x < Math.min(...values) || x > Math.max(...values)) expect.fail(`case ${k}: ${x} is not among ${values}`);
    }
  });

  it('is as wide as the values are, to the bit: no mean leaves it by rounding', async () => {
    for (const rule of [{ kind: 'median' }, { kind: 'trimmed-mean' }, { kind: 'multi-krum' }, { kind: 'bulyan' }]) {
      expect(await aggregated(rule, Array(9).fill([0.1, 5e-324, 1.7e308]))).toEqual([0.1, 5e-324, 1.7e308]);
    }
  });
});

describe('tensors of a model', () => {
  const model = (w: number, n: number): NamedTensors =>
    new Map<string, Tensor>([
      ['w', float32([2], [w, -w])],
      ['bn.num_batches_tracked', tensor('int64', [], BigInt64Array.of(BigInt(n)))],
    ]);
  const round = { kind: 'weight-diff', round: 0, maxSteps: 9, siteOrder: ['a', 'b', 'c'] } as const;

  it('keep their dtypes; counters become their median, the nearest whole number', async () => {
    const aggregator = median({ kind: 'median' }, { ...round, reference: model(10, 100) });
    for (const [site, w, n] of [
      ['c', 0.5, 7],
      ['a', 0.25, 4],
      ['b', 64, 1_000_000],
    ] as const) {
      const payload = { kind: 'weight-diff', tensors: model(w, n), metrics: {}, steps: 1 } as const;
      void aggregator.add({ site, round: 0, payload });
    }
    expect(await aggregator.finish()).toEqual(model(10.5, 107));
    expect(aggregator.contributions().map(({ site }) => site)).toEqual(['a', 'b', 'c']);
  });

  it('come unrounded when that is asked for', async () => {
    const aggregator = median({ kind: 'median' }, { ...round, reference: model(1, 0), precise: true });
    for (const site of round.siteOrder) {
      const payload = { kind: 'weight-diff', tensors: model(1e-9, 0), metrics: {}, steps: 1 } as const;
      void aggregator.add({ site, round: 0, payload });
    }
    const w = (await aggregator.finish()).get('w')!;
    expect([w.dtype, w.data[0]]).toEqual(['float64', 1 + Math.fround(1e-9)]);
  });

  it('are read again where they are kept on disk, and not held until then', async () => {
    const aggregator = median({ kind: 'median' }, { ...round, reference: model(0, 0) });
    const read: string[] = [];
    for (const [k, site] of round.siteOrder.entries()) {
      const update = {
        site,
        round: 0,
        payload: { kind: 'weight-diff', tensors: model(k, 0), metrics: {}, steps: 1 } as const,
      };
      void aggregator.add(update, undefined, async () => {
        read.push(site);
        return { ...update, payload: { ...update.payload, tensors: model(k + 10, 0) } };
      });
    }
    expect(firstNonFinite((await aggregator.finish()).get('w')!)).toBe(-1);
    expect((await aggregator.finish()).get('w')).toEqual(model(11, 0).get('w'));
    expect(read).toEqual(['a', 'b', 'c']);
  });
});

/** Numbers from 0 to 1 (mulberry32), for cases that have only to be many. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
