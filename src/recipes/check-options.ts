import { ConfigError } from '../errors';
import { checkKeys } from '../jobs/check-keys';
import { listRecipes } from './catalogue';

/**
 * What the editor says of options, said again at run time: to JavaScript, and to options that came from elsewhere.
 *
 * @throws ConfigError for options that are no object, or that the recipe does not have: none is ever passed over.
 */
export function checkOptions(recipe: string, options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError(`${recipe} takes its options as one object, but got ${JSON.stringify(options) ?? 'none'}.`, {
      hint: `npx consilium recipe show ${recipe} lists them.`,
    });
  }
  const known = listRecipes()
    .find(({ name }) => name === recipe)!
    .options.map(({ name }) => name);
  checkKeys(recipe, options, known);
}
