import { describe, expect, it } from 'vitest';
import { Brats18Recipe, type Brats18RecipeOptions } from './brats18-recipe';
import { FedAvgRecipe, type FedAvgRecipeOptions } from './fed-avg-recipe';

const options: FedAvgRecipeOptions = {
  name: 'a',
  sites: 2,
  rounds: 1,
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainCommand: ['true'],
};
/** As JavaScript, or options that came from elsewhere, would call it. */
const make = (more: object) => () => new FedAvgRecipe({ ...options, ...more } as FedAvgRecipeOptions);
const fail = (message: string | RegExp) =>
  expect.objectContaining({ tag: 'ConfigError', message: expect.stringMatching(message) });

describe('options of a recipe at run time', () => {
  it.each([
    ['an unknown one, with the nearest', { minSite: 1 }, /has no option 'minSite'. Did you mean 'minSites'\?/],
    ['a filter under the wrong name', { filter: [] }, /has no option 'filter'. Did you mean 'filters'\?/],
    ['half a site', { sites: 1.5 }, /sites must be a whole number from 1 to 10000, or a list of names, but is 1.5/],
    ['no site', { sites: 0 }, /sites must be/],
    ['more sites than memory', { sites: 1e9 }, /sites must be/],
    ['a word for the sites', { sites: 'abc' }, /sites must be .* but is "abc"/],
    ['arguments in one text', { trainCommand: undefined, trainScript: './x.js', trainArgs: '--a b' }, /trainer.args/],
    ['code among the settings of a site', { siteConfig: { 'site-1': { f: () => 1 } } }, /siteConfig/],
  ])('refuse %s', (_, more, message) => {
    expect(make(more)).toThrow(fail(message));
  });

  it('are refused inside of others too', () => {
    const brats = (more: object) => () => new Brats18Recipe(more as Brats18RecipeOptions);
    expect(brats({ data: { shap: [64, 64, 48] } })).toThrow(fail(/data has no option 'shap'. Did you mean 'shape'\?/));
    expect(brats({ data: { baseDir: '/a', datalistDir: '/b', cases: 1 } })).toThrow(fail(/data.cases: unknown key/));
    expect(brats({ privacy: { epslon: 1 } })).toThrow(fail(/privacy has no option 'epslon'. Did you mean 'epsilon'\?/));
  });

  it('are an object', () => {
    expect(() => new (FedAvgRecipe as unknown as new () => FedAvgRecipe)()).toThrow(
      fail(/takes its options as one object/),
    );
  });

  it('do not let the place of a filter be wider than it was meant', () => {
    const recipe = new FedAvgRecipe(options);
    const place = { at: 'site-out', tsks: ['train'] } as const;
    const svt = { kind: 'svt', fraction: 0.5, epsilon: 1, noiseVar: 1, gamma: 1 } as const;
    expect(() => recipe.addFilter(place, svt)).toThrow(fail(/has no option 'tsks'. Did you mean 'tasks'\?/));
  });

  it('refuse a privacy filter that would meet scores only', () => {
    const svt = { kind: 'svt', fraction: 0.5, epsilon: 1, noiseVar: 1, gamma: 1 } as const;
    const place = { at: 'site-out', tasks: ['validate'] } as const;
    expect(() => new FedAvgRecipe(options).addFilter(place, svt)).toThrow(
      fail(/'svt' changes weight-diff, but what passes it here is metrics/),
    );
  });
});
