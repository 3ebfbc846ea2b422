import { expect, it } from 'vitest';
import { didYouMean, nearest } from './nearest';

const known = ['kind', 'rounds', 'minSites', 'keyMetric', 'roundDeadlineSeconds'];

it.each([
  ['rouns', 'rounds'],
  ['ronuds', 'rounds'],
  ['Rounds', 'rounds'],
  ['min_sites', 'minSites'],
  ['minSite', 'minSites'],
  ['key-metrc', 'keyMetric'],
  ['knd', 'kind'],
])('takes %s for a slip of %s', (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
  expect(didYouMean(word, known)).toBe(` Did you mean '${meant}'?`);
});

it.each(['epochs', 'x', '', 'site', 'deadline'])('takes %j for a word of its own', (word) => {
  expect(nearest(word, known)).toBeUndefined();
  expect(didYouMean(word, known)).toBe('');
});

it('counts a swap of neighbours once, and takes the nearer of two', () => {
  expect(nearest('abc', ['bca', 'acb'])).toBe('acb');
});

it('does not compare endless words', () => {
  expect(nearest('r'.repeat(1_000_000), known)).toBeUndefined();
});
