/**
 * What recipes there are, for people and tools. Read from the declarations of the recipes by `npm run reference`.
 *
 * @module
 */
import recipes from './recipe-options.json';

export interface RecipeOption {
  readonly name: string;
  /** As TypeScript declares it. */
  readonly type: string;
  readonly required: boolean;
  /** What holds when it is left out. */
  readonly default?: string;
  readonly description: string;
}

export interface RecipeEntry {
  /** Name of the class. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly RecipeOption[];
}

/** Every recipe of the library, by name. */
export function listRecipes(): readonly RecipeEntry[] {
  return recipes;
}
