import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJson } from '../util/exact-json';
import type { RoundLine } from './round-line';
import { RunHistory } from './run-history';

const cost = (epsilon: number) => ({
  ...{
    mechanism: 'svt',
    differentiallyPrivate: true,
    epsilon,
    delta: 0,
    unit: 'update',
    details: { floor: -Infinity },
  },
});
const line = (round: number, changes: Partial<RoundLine> = {}): RoundLine => ({
  ...{ round, metrics: { val_dice: round / 7, loss: null }, seconds: round + 0.5, time: 'Infinity' },
  sites: [{ name: 'site-1', status: 'ok', steps: round }],
  ...changes,
});

/** Runs that report their rounds in one line or in several, that go back, and whose sites spend or do not. */
const runs = fc.array(
  fc.record({
    round: fc.nat(20),
    site: fc.constantFrom('a', 'b'),
    epsilons: fc.array(fc.oneof(fc.double({ min: 0, max: 9, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))),
    spentOfRound: fc.option(fc.double({ min: 0, max: 9, noNaN: true })),
  }),
  { maxLength: 250, size: 'max' },
);

function linesOf(run: typeof runs extends fc.Arbitrary<infer T> ? T : never): RoundLine[] {
  return run.map(({ round, site, epsilons, spentOfRound }) => {
    const privacy = { ...cost(spentOfRound ?? 0), epsilonTotal: 1, verdict: 'none' };
    const { details: _, ...ofRound } = privacy;
    const sites = [{ name: site, status: 'ok' as const, ...(epsilons.length > 0 && { privacy: epsilons.map(cost) }) }];
    return line(round, { sites, ...(spentOfRound !== null && { privacy: ofRound }) });
  });
}

const textOf = (history: RunHistory) => Buffer.concat(history.text()).toString();

describe('the history of a run', () => {
  it('has the lines that were added, and what is asked of them', () => {
    fc.assert(
      fc.property(runs, fc.nat(20), (run, round) => {
        const lines = linesOf(run);
        const history = lines.reduce((before, one) => before.with(one), RunHistory.empty);
        for (const one of [history, RunHistory.of(lines)]) {
          expect(one.length).toBe(lines.length);
          expect(one.lines()).toEqual(lines);
          expect(textOf(one)).toBe(lines.map((each) => toJson(each)).join(',\n'));
          expect(one.last).toEqual(lines.at(-1));
          expect(one.privacy).toEqual(lines.findLast(({ privacy }) => privacy)?.privacy);
          for (const asked of [round, Math.max(-1, ...lines.map((each) => each.round))])
            expect(one.ofRound(asked)).toEqual(lines.filter((each) => each.round === asked));
          for (const site of ['a', 'b', 'c']) expect(one.epsilonOf(site)).toBe(spent(lines, site));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stays as it is when a further line comes', () => {
    const before = RunHistory.of(Array.from({ length: 99 }, (_, round) => line(round)));
    const text = textOf(before);
    const [one, other] = [before.with(line(99)), before.with(line(99, { time: 'later' }))];
    expect(textOf(before)).toBe(text);
    expect([before.length, one.last?.time, other.last?.time]).toEqual([99, 'Infinity', 'later']);
    expect(other.lines().slice(0, -1)).toEqual(one.lines().slice(0, -1));
  });

  it('takes no line that could not be read again', () => {
    const half = line(3, { sites: [{ name: 'site-1', status: 'ok', steps: 1.5 }] });
    expect(() => RunHistory.empty.with(half)).toThrow(/report of round 3 cannot be kept/);
  });
});

function spent(lines: readonly RoundLine[], site: string): number {
  const own = lines.flatMap(({ sites }) => sites.filter(({ name }) => name === site));
  return own.flatMap(({ privacy = [] }) => privacy).reduce((total, { epsilon }) => total + epsilon, 0);
}
