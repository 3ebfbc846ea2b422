import { expect, it } from 'vitest';
import { scoreCache } from './score-cache';

it('a score cache knows the scores of one round only', () => {
  const cache = scoreCache();
  cache.use(1);
  cache.set('case', [0.5]);
  cache.use(1);
  expect(cache.get('case')).toEqual([0.5]);
  cache.use(2);
  expect(cache.get('case')).toBeUndefined();
});
