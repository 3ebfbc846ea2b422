import { expect, it } from 'vitest';
import { float32 } from '../tensor/tensor';
import { scoreCache } from './score-cache';

const model = (value: number) => new Map([['w', float32([1], [value])]]);

it('a score cache knows the scores of one model only, whichever object it comes in', () => {
  const cache = scoreCache();
  cache.use(model(1));
  cache.set('case', [0.5]);
  cache.use(model(1));
  expect(cache.get('case')).toEqual([0.5]);
  cache.use(model(2));
  expect(cache.get('case')).toBeUndefined();
});
