import type { Environment, Run } from '../jobs/environment';
import { type JobInput, type JobSpec, parseJob } from '../jobs/job-spec';
import type { Recipe } from './recipe';

export interface FedAvgRecipeOptions {
  /** Name of the job and of its folder in the workspace. */
  readonly name: string;
  /** Number of sites, named `site-1`, `site-2`, …; or their names. */
  readonly sites: number | readonly string[];
  readonly rounds: number;
  readonly model: JobInput['model'];
  readonly trainer: JobInput['trainer'];
  readonly data: JobInput['data'];
  /** Updates that a round needs at least. @default the number of sites */
  readonly minSites?: number;
  /** Metric that chooses the best model; larger is better. @default 'val_dice' */
  readonly keyMetric?: string;
  /** Filters at the sites or the server, in order. @default none */
  readonly filters?: JobInput['filters'];
  /** Execution provider and threads of the sessions. @default cpu */
  readonly engine?: JobInput['engine'];
  /** @default 0 */
  readonly seed?: number;
}

/** Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629) of any registered model and trainer. */
export class FedAvgRecipe implements Recipe {
  readonly job: JobSpec;

  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedAvgRecipeOptions) {
    const sites = typeof options.sites === 'number' ? siteNames(options.sites) : [...options.sites];
    const { keyMetric, filters, engine, seed } = options;
    this.job = parseJob(
      {
        version: 1,
        name: options.name,
        sites,
        workflow: {
          kind: 'fed-avg',
          rounds: options.rounds,
          minSites: options.minSites ?? sites.length,
          ...(keyMetric !== undefined && { keyMetric }),
        },
        model: options.model,
        trainer: options.trainer,
        data: options.data,
        ...(seed !== undefined && { seed }),
        ...(filters !== undefined && { filters }),
        ...(engine !== undefined && { engine }),
      },
      'FedAvgRecipe',
    );
  }

  execute(environment: Environment): Run {
    return environment.run(this.job);
  }
}

/** `site-1` … `site-n`. */
export function siteNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `site-${i + 1}`);
}
