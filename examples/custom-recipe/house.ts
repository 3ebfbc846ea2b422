/**
 * A recipe of your own: a function with the few options that change, around a recipe of ours. Also prints the job file.
 *
 *     npx ts-node examples/custom-recipe/house.ts
 */
import { jobToYaml, SimEnv } from '../../src';
import { houseRecipe } from './house-recipe';

async function main(): Promise<void> {
  const recipe = houseRecipe({
    files: { north: '../per-site-config/data/north.csv', south: '../per-site-config/data/south.csv' },
  });
  console.log(jobToYaml(recipe.job));
  console.log((await recipe.execute(new SimEnv()).result()).final);
}

void main();
