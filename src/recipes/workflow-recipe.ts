import type { JobInput } from '../jobs/job-spec';
import { checkOptions } from './check-options';
import { type TrainedOptions, trainingInput } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface WorkflowRecipeOptions extends TrainedOptions {
  /** The algorithm of the server, with its options: one of your own, made by `defineWorkflow`, or a built-in one. */
  readonly workflow: JobInput['workflow'];
}

/** A recipe around any workflow, one of your own above all. */
export class WorkflowRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: WorkflowRecipeOptions) {
    checkOptions('WorkflowRecipe', options);
    super({ ...trainingInput(options), workflow: options.workflow }, 'WorkflowRecipe', options.folder);
  }
}
