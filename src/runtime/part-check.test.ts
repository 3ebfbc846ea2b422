import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { payloadKinds } from '../jobs/filter-spec';
import type { Payload } from '../protocol/payload';
import { FedAvgRecipe } from '../recipes/fed-avg-recipe';
import type { FilterPlace } from '../recipes/recipe';
import { defineFilter } from './define-part';
import { checkParts } from './part-check';

const only = defineFilter({
  module: __filename,
  kind: 'test/only',
  options: z.strictObject({ accepts: z.array(z.enum(payloadKinds)) }),
  create: ({ accepts }) => ({ name: 'only', accepts, apply: (payload) => payload }),
});

const check = (place: FilterPlace, transfer: 'weights' | 'weight-diff', ...accepts: Payload['kind'][]) => {
  const recipe = new FedAvgRecipe({
    name: 'checked',
    sites: 2,
    rounds: 1,
    model: { kind: 'tensors', tensors: { w: [1] } },
    trainScript: './part-check.test.ts',
    transfer,
  });
  recipe.addFilter(place, only({ accepts }));
  return () => checkParts(recipe.job, __dirname);
};

describe("a filter of the user's own", () => {
  it('that accepts what passes where it stands is in order', () => {
    expect(check({ at: 'site-out' }, 'weight-diff', 'weight-diff', 'metrics')).not.toThrow();
    expect(check({ at: 'site-out', tasks: ['train'] }, 'weights', 'weights')).not.toThrow();
    expect(check({ at: 'server-out' }, 'weight-diff', 'weights')).not.toThrow();
  });

  it('that does not is an error that says what accepts what, and what to do', () => {
    const full = check({ at: 'site-out', tasks: ['train'] }, 'weights', 'weight-diff');
    expect(full).toThrow("filters.0: filter 'only' at site-out accepts weight-diff, but this job sends weights there.");
    expect(full).toThrow(expect.objectContaining({ hint: expect.stringContaining('trainer.transfer') }));
    const all = check({ at: 'server-in' }, 'weight-diff', 'weight-diff');
    expect(all).toThrow('but this job sends metrics there.');
    expect(check({ at: 'site-in' }, 'weight-diff', 'weight-diff')).toThrow('sends weights there');
  });
});
