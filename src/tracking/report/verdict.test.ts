import { expect, test } from 'vitest';
import { cost, finalEntry, round } from '../../../test/support/report-data';
import { ledgerOf, verdictOf } from './verdict';

test('a run without filter calls has no protection', () => {
  expect(verdictOf([round(0, 0.1), finalEntry(1, 0.2)])).toMatchObject({
    protection: 'none',
    badge: 'No privacy filter',
  });
});

test('one call without a guarantee makes the run not private', () => {
  const verdict = verdictOf([round(0, 0.1, cost(0.1)), round(1, 0.1, cost(Infinity, { mechanism: 'svt-nvflare' }))]);
  expect(verdict).toMatchObject({ protection: 'not-private', badge: 'NOT differentially private' });
  expect(verdict.text).toContain("'svt-nvflare'");
});

test('one update without a filter makes the run not private, however small the other costs', () => {
  const verdict = verdictOf([round(0, 0.1, cost(0.1)), round(1, 0.1), finalEntry(2, 0.2)]);
  expect(verdict.protection).toBe('not-private');
  expect(verdict.text).toContain('2 of 4 updates left their site without a privacy filter');
});

test.each([
  [5, 'private', 'Differentially private updates: ε = 10'],
  [5.01, 'weak', 'Weak privacy: ε = 10'],
  [50, 'weak', 'Weak privacy: ε = 100'],
  [50.5, 'meaningless', 'No meaningful privacy'],
])('two rounds of ε = %d are called %s', (epsilon, protection, badge) => {
  const verdict = verdictOf([round(0, 0.1, cost(epsilon)), round(1, 0.1, cost(epsilon)), finalEntry(2, 0.2)]);
  expect(verdict).toMatchObject({ protection, badge });
});

test('above 100 the run is not called differentially private', () => {
  const { text } = verdictOf([round(0, 0.1, cost(4_232_005))]);
  expect(text).toMatch(
    /^ε = 4\.23 million per round, 4\.23 million for the run: formally a bound, but no meaningful protection/,
  );
  expect(text).not.toContain('are differentially private');
});

test('δ adds up and is shown', () => {
  const { text } = verdictOf([round(0, 0.1, cost(1, { delta: 1e-5 })), round(1, 0.1, cost(1, { delta: 1e-5 }))]);
  expect(text).toContain('(δ = 2.0e-5)');
});

test('the ledger adds up the calls of each site on its own', () => {
  const [first, second] = [round(0, 0.1, cost(1)), round(1, 0.1, cost(2))];
  const twice = { ...second, sites: [{ ...second.sites[0]!, privacy: [cost(2), cost(3)] }] };
  expect(ledgerOf([first, twice]).map(({ site, epsilonTotal }) => [site, epsilonTotal])).toEqual([
    ['site-1', 1],
    ['site-2', 1],
    ['site-1', 3],
    ['site-1', 6],
  ]);
});
