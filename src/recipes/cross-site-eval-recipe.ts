import { checkOptions } from './check-options';
import { type AveragingRecipeOptions, fedAvgInput, given } from './fed-avg-recipe';
import { Recipe } from './recipe';

export interface CrossSiteEvalRecipeOptions extends AveragingRecipeOptions {
  /** Rounds of federated averaging first; 0 scores only `checkpoints` and the model that the job starts from. */
  readonly rounds: number;
  /** Files of further models to score, by name. @default none */
  readonly checkpoints?: Readonly<Record<string, string>>;
}

/**
 * Scores every site's own model and the server's models at every site. The matrix is `results['cross-site-evaluation']` of the
 * run, and a table in its report. A site's model leaves it through the filters at `site-out` only, as task `submit-model`.
 */
export class CrossSiteEvalRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: CrossSiteEvalRecipeOptions) {
    checkOptions('CrossSiteEvalRecipe', options);
    const { checkpoints } = options;
    const workflow = { kind: 'cross-site-eval', ...given({ checkpoints }) };
    super(fedAvgInput(options, workflow), 'CrossSiteEvalRecipe', options.folder);
  }
}
