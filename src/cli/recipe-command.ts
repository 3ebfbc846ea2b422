import { Command } from 'commander';
import { ConfigError } from '../errors';
import { listRecipes, type RecipeEntry, type RecipeOption } from '../recipes/catalogue';
import { didYouMean } from '../util/nearest';
import { printJson } from './print-json';
import { wrapped } from './wrap';

interface RecipeFlags {
  readonly json?: boolean;
}

/** `consilium recipe …`: the recipes there are, and the options of one. */
export function recipeCommand(): Command {
  return new Command('recipe').addCommand(listCommand()).addCommand(showCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('The recipes, with a line on each.')
    .option('--json', '{recipes: [{name, summary}]}')
    .exitOverride()
    .action(({ json }: RecipeFlags) => {
      const recipes = listRecipes().map(({ name, summary }) => ({ name, summary }));
      const width = Math.max(...recipes.map(({ name }) => name.length));
      const lines = recipes.map(({ name, summary }) => wrapped(summary, name.padEnd(width)));
      if (json) printJson({ recipes });
      else process.stdout.write(lines.join(''));
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('The options of a recipe: types, defaults, meanings.')
    .argument('<recipe>', 'see: consilium recipe list')
    .option('--json', '{name, summary, options: [{name, type, required, default, description}]}')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium recipe show FedAvgRecipe')
    .action((name: string, { json }: RecipeFlags) => {
      const recipe = recipeOf(name);
      if (json) printJson(recipe);
      else process.stdout.write(describe(recipe));
    });
}

/** `FedAvgRecipe`, `fedavg` and `fed-avg` all name the same. @throws ConfigError naming the nearest. */
function recipeOf(name: string): RecipeEntry {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
      .replace(/recipe$/, '');
  const found = listRecipes().find((recipe) => plain(recipe.name) === plain(name));
  if (found) return found;
  const names = listRecipes().map((recipe) => recipe.name);
  throw new ConfigError(`There is no recipe '${name}'.${didYouMean(name, names)}`, {
    hint: `The recipes are ${names.join(', ')}.`,
  });
}

function describe({ name, summary, options }: RecipeEntry): string {
  const sorted = [...options.filter(({ required }) => required), ...options.filter(({ required }) => !required)];
  return [wrapped(summary, name), '\n', ...sorted.map(describeOption)].join('');
}

function describeOption({ name, type, required, default: fallback, description }: RecipeOption): string {
  const value = fallback === undefined ? '' : ` (default ${fallback})`;
  const text = [description, value.trim()].filter(Boolean).join(' ');
  return `  ${name}${required ? '' : '?'}: ${type}\n${text === '' ? '' : wrapped(text, '     ')}`;
}
