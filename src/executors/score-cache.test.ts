import { expect, it } from 'vitest';
import { scoreCache } from './score-cache';

it('a score cache knows the scores of one model only, also among equal ones', () => {
  const cache = scoreCache();
  const model = new Map();
  cache.use(model);
  cache.set('case', [0.5]);
  cache.use(model);
  expect(cache.get('case')).toEqual([0.5]);
  cache.use(new Map());
  expect(cache.get('case')).toBeUndefined();
});
