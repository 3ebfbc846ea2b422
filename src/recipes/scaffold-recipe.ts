import type { ServerOptimiserOptions } from '../jobs/server-optimiser-spec';
import { checkOptions } from './check-options';
import { type AveragingRecipeOptions, fedAvgInput, given } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface ScaffoldRecipeOptions extends AveragingRecipeOptions {
  /**
   * Learning rate of the sites, when training code of your own trains: it reaches it as a setting of its tasks, beside the
   * correction of the gradients. The built-in trainer has its own. @default none
   */
  readonly learningRate?: number;
  /** How the server moves along the mean change; the paper's global learning rate is that of `sgd`. @default to the mean */
  readonly serverOptimiser?: ServerOptimiserOptions;
}

/**
 * Control variates take out the drift of sites with different data: SCAFFOLD (Karimireddy et al. 2020,
 * https://arxiv.org/abs/1910.06378). The sites take plain gradient steps.
 */
export class ScaffoldRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: ScaffoldRecipeOptions) {
    checkOptions('ScaffoldRecipe', options);
    const { learningRate, serverOptimiser } = options;
    const workflow = { kind: 'scaffold', ...given({ learningRate, serverOptimiser }) };
    super(fedAvgInput(options, workflow), 'ScaffoldRecipe', options.folder);
  }
}
