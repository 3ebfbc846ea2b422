import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConsiliumError } from '../errors';
import type { PrivacyCost } from './cost';
import { decodeLedgerEntry, encodeLedgerEntry, type LedgerEntry, nothingSpent, totalSpent } from './ledger';

function cost(epsilon: number, over: Partial<PrivacyCost> = {}): PrivacyCost {
  return { mechanism: 'svt', differentiallyPrivate: true, epsilon, delta: 0, unit: 'a unit', details: {}, ...over };
}

function entry(site: string, epsilon: number, over: Partial<LedgerEntry> = {}): LedgerEntry {
  return { site, filter: 'svt', round: 0, cost: cost(epsilon), ...over };
}

describe('totalSpent', () => {
  it('adds up ε and δ over rounds, by site and by filter', () => {
    const entries = [
      entry('site-1', 1.5, { cost: cost(1.5, { delta: 1e-6 }) }),
      entry('site-2', 8),
      entry('site-1', 2, { round: 1 }),
      entry('site-1', 4, { filter: 'gaussian' }),
    ];
    expect(totalSpent(entries, 'site-1', 'svt')).toEqual({
      calls: 2,
      epsilon: 3.5,
      delta: 1e-6,
      differentiallyPrivate: true,
    });
    expect(totalSpent(entries, 'site-1').epsilon).toBe(7.5);
    expect(totalSpent(entries, 'site-3')).toEqual(nothingSpent);
  });

  it('is infinite and not private from the first call without a guarantee', () => {
    const bare = cost(0.5, { differentiallyPrivate: false });
    const total = totalSpent([entry('site-1', 1), entry('site-1', 0, { cost: bare }), entry('site-1', 1)], 'site-1');
    expect(total).toEqual({ calls: 3, epsilon: Number.POSITIVE_INFINITY, delta: 0, differentiallyPrivate: false });
  });
});

describe('a ledger line', () => {
  it('brings back every entry, infinite costs included', () => {
    const amount = fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY));
    const entries = fc.record({
      site: fc.string(),
      filter: fc.string(),
      round: fc.nat(),
      cost: fc.record({
        mechanism: fc.string(),
        differentiallyPrivate: fc.boolean(),
        epsilon: amount,
        delta: amount,
        unit: fc.string(),
        details: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.double({ noNaN: true })),
      }),
    });
    const positiveZero = (value: LedgerEntry): unknown => JSON.parse(encodeLedgerEntry(value));
    fc.assert(
      fc.property(entries, (given) => {
        const line = encodeLedgerEntry(given);
        expect(line).not.toContain('\n');
        expect(positiveZero(decodeLedgerEntry(line))).toEqual(positiveZero(given));
        expect(decodeLedgerEntry(line).cost.epsilon).toBe(given.cost.epsilon + 0);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('writes an infinite cost as a string', () => {
    expect(encodeLedgerEntry(entry('site-1', Number.POSITIVE_INFINITY))).toContain('"epsilon":"Infinity"');
  });

  it.each([
    ['cut short', encodeLedgerEntry(entry('site-1', 1)).slice(0, -3)],
    ['empty', ''],
    ['with a null cost', encodeLedgerEntry(entry('site-1', 1)).replace('"epsilon":1', '"epsilon":null')],
    ['with a negative cost', encodeLedgerEntry(entry('site-1', -1))],
    ['with an unknown key', encodeLedgerEntry(entry('site-1', 1)).replace('{', '{"extra":1,')],
  ])('is refused when it is %s', (_, line) => {
    try {
      decodeLedgerEntry(line);
      expect.unreachable();
    } catch (error) {
      expect(isConsiliumError(error, 'DataError')).toBe(true);
    }
  });
});
