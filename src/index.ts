/**
 * The public names of Consilium, chosen one by one. Importing them starts nothing.
 *
 * @module
 */
export { ConsiliumError, type ErrorTag, isConsiliumError } from './errors';
export type { Environment, ModelScore, Outcome, Run, RunEvent, RunResult } from './jobs/environment';
export { type JobInput, type JobSpec, jobHash, parseJob } from './jobs/job-spec';
export { jobFromYaml, jobToYaml } from './jobs/job-yaml';
export {
  type Brats18PhantomOptions,
  type Brats18PrivacyOptions,
  Brats18Recipe,
  type Brats18RecipeOptions,
} from './recipes/brats18-recipe';
export { FedAvgRecipe, type FedAvgRecipeOptions } from './recipes/fed-avg-recipe';
export type { Recipe } from './recipes/recipe';
export { SimEnv, type SimEnvOptions } from './runtime/sim-env';
