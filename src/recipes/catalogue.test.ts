import { expect, it } from 'vitest';
import { recipeCatalogue } from '../../scripts/recipe-catalogue';
import { listRecipes } from './catalogue';

it('holds what the declarations of the recipes say; `npm run reference` writes it', () => {
  expect(listRecipes()).toEqual(recipeCatalogue());
});

it('says what every option means or what holds without it', () => {
  const silent = listRecipes().flatMap(({ name, options }) =>
    options
      .filter(({ description, default: fallback }) => description === '' && fallback === undefined)
      .map((one) => `${name}.${one.name}`),
  );
  expect(silent).toEqual([]);
});
