import { checkOptions } from './check-options';
import { given, roundInput, type TrainingRecipeOptions, trainingInput } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface CyclicRecipeOptions extends TrainingRecipeOptions {
  /** Order of the sites in a round; `random-no-repeat`: no site follows itself from round to round. @default 'fixed' */
  readonly order?: 'fixed' | 'random' | 'random-no-repeat';
}

/** The model goes from site to site: cyclic weight transfer (Chang et al. 2018, https://doi.org/10.1093/jamia/ocy017). */
export class CyclicRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: CyclicRecipeOptions) {
    checkOptions('CyclicRecipe', options);
    const { order } = options;
    const workflow = { kind: 'cyclic', ...roundInput(options), ...given({ order }) };
    super({ ...trainingInput(options), workflow }, 'CyclicRecipe', options.folder);
  }
}
