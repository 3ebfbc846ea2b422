import { checkOptions } from './check-options';
import { type AveragingRecipeOptions, fedAvgInput } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface FedProxRecipeOptions extends AveragingRecipeOptions {
  /**
   * μ: sites add (μ/2)·‖w − w_received‖² to the loss. The built-in trainer does; code of your own finds it in the settings of its
   * tasks. @default 0.01
   */
  readonly proximalMu?: number;
}

/** Federated averaging that holds the sites near the global model: FedProx (Li et al. 2020, https://arxiv.org/abs/1812.06127). */
export class FedProxRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedProxRecipeOptions) {
    checkOptions('FedProxRecipe', options);
    const { proximalMu = 0.01 } = options;
    super(fedAvgInput(options, { kind: 'fed-avg', proximalMu }), 'FedProxRecipe', options.folder);
  }
}
