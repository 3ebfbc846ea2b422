/**
 * Jobs as a command names them: a file, or a recipe that needs no options.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors';
import { readJobFile } from '../jobs/job-file';
import type { JobSpec } from '../jobs/job-spec';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { MriTranslationRecipe } from '../recipes/mri-translation-recipe';
import { didYouMean } from '../util/nearest';

/** Recipes with their defaults, by name. */
const recipes: Readonly<Record<string, () => JobSpec>> = {
  brats18: () => new Brats18Recipe().job,
  'mri-translation': () => new MriTranslationRecipe().job,
};

export const recipeNames: readonly string[] = Object.keys(recipes);

export interface JobSource {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly folder: string;
}

/**
 * The job that a word on the command line means. A word with a slash, a backslash or a dot is a file.
 *
 * @throws ConfigError for an unknown recipe, and as `readJobFile`.
 */
export async function readJobSource(word: string): Promise<JobSource> {
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replace(/recipe$/, '')
      .replaceAll('-', '');
  const name = recipeNames.find((one) => plain(one) === plain(word));
  const recipe = name === undefined ? undefined : recipes[name];
  if (recipe) return { job: recipe(), folder: process.cwd() };
  const folder = dirname(resolve(word));
  if (/[./\\]/.test(word)) return { job: await readJobFile(word, { folder }), folder };
  throw new ConfigError(
    `There is no recipe '${word}'.${didYouMean(word, recipeNames)} Known: ${recipeNames.join(', ')}.`,
    {
      hint: `If a file is meant, write ./${word}`,
    },
  );
}
