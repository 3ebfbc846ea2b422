import type { ServerOptimiserOptions } from '../jobs/server-optimiser-spec';
import { checkOptions } from './check-options';
import { type AveragingRecipeOptions, fedAvgInput } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface FedOptRecipeOptions extends AveragingRecipeOptions {
  /** How the server moves along the mean change: `sgd` (FedAvgM), `adam`, `yogi` or `adagrad`. @default { kind: 'adam' } */
  readonly serverOptimiser?: ServerOptimiserOptions;
}

/** Federated averaging with an optimiser at the server: FedOpt (Reddi et al. 2021, https://arxiv.org/abs/2003.00295). */
export class FedOptRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedOptRecipeOptions) {
    checkOptions('FedOptRecipe', options);
    const { serverOptimiser = { kind: 'adam' } } = options;
    super(fedAvgInput(options, { kind: 'fed-avg', serverOptimiser }), 'FedOptRecipe', options.folder);
  }
}
