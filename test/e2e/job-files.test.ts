import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Brats18Recipe, jobHash, MriTranslationRecipe, type Recipe } from '../../src';
import { readJobFile } from '../../src/jobs/job-file';

/** The scripts in jobs/ with their defaults. */
const recipes: Readonly<Record<string, () => Recipe>> = {
  brats18: () => new Brats18Recipe(),
  'mri-translation': () => new MriTranslationRecipe(),
};

describe('the job files beside the scripts in jobs/', () => {
  it('are one for every script', () => {
    const names = (suffix: string) =>
      readdirSync('jobs').flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : []));
    expect(names('.yaml')).toEqual(names('.ts'));
    expect(names('.yaml')).toEqual(Object.keys(recipes));
  });

  it.each(Object.entries(recipes))('%s.yaml is the same job as the script without flags', async (name, recipe) => {
    const job = await readJobFile(join('jobs', `${name}.yaml`));
    expect(job).toEqual(recipe().job);
    expect(jobHash(job)).toBe(jobHash(recipe().job));
  });
});
