import { checkOptions } from './check-options';
import { askInput, type ModelRecipeOptions, trainingInput } from './fed-avg-recipe';
import { Recipe } from './recipe';

/** The model to score is the `initialCheckpoint` of a network, or a model of kind `checkpoint`. */
export interface FedEvalRecipeOptions extends ModelRecipeOptions {}

/** Scores a model at every site; nothing is trained. */
export class FedEvalRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedEvalRecipeOptions) {
    checkOptions('FedEvalRecipe', options);
    const workflow = { kind: 'fed-eval', ...askInput(options) };
    super({ ...trainingInput(options), workflow }, 'FedEvalRecipe', options.folder);
  }
}
