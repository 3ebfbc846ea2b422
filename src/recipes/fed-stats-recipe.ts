import type { JobInput } from '../jobs/job-spec';
import { checkOptions } from './check-options';
import { type CommonOptions, commonInput, Recipe, sitesOf } from './recipe';

type FedStatsInput = Extract<JobInput['workflow'], { readonly kind: 'fed-stats' }>;

export interface FedStatsRecipeOptions extends CommonOptions {
  /** The values of the sites: tables (`csv`), the intensities of images (`brats18`), or a source of your own. */
  readonly data: NonNullable<JobInput['data']>;
  /** What is formed of every feature. @default count, failure-count, mean, stddev, histogram and quantiles */
  readonly statistics?: FedStatsInput['statistics'];
  /** Features that are wanted. @default all that the sites have */
  readonly features?: readonly [string, ...string[]];
  /** Bins of a histogram, of equal width. @default 10 */
  readonly bins?: number;
  /** By feature: lowest and highest edge of its bins. @default the range of all values, with noise */
  readonly ranges?: FedStatsInput['ranges'];
  /** Probabilities of the quantiles, between 0 and 1. @default 0.25, 0.5 and 0.75 */
  readonly quantiles?: FedStatsInput['quantiles'];
  /** Answers that are needed. @default the number of sites */
  readonly minSites?: number;
  /** A site that has not answered a question by then is late, seconds. @default a week */
  readonly roundDeadlineSeconds?: number;
  /** How long to wait for the others once `minSites` have answered, seconds. @default the whole deadline */
  readonly graceSeconds?: number;
  /** How often sites that were too late are asked again when there are too few answers. @default 2 */
  readonly roundRetries?: number;
  /** Whether a site in error only counts as missing or ends the run. @default 'tolerate' */
  readonly siteErrors?: 'tolerate' | 'fail';
  /** A site with fewer cases of a feature gives nothing of it. @default 10 */
  readonly minCount?: number;
  /** A minimum or maximum leaves moved outwards by at least this share of its size. @default 0.1 */
  readonly minNoiseLevel?: number;
  /** And by at most this share. @default 0.3 */
  readonly maxNoiseLevel?: number;
  /** A histogram with more bins than this, in percent of the count, stays at the site. @default 10 */
  readonly maxBinsPercent?: number;
}

/**
 * Statistics of the sites' data: count, sum, mean, standard deviation, histogram and quantiles of every feature, for each site
 * and for all. What leaves a site is limited, but not differentially private.
 */
export class FedStatsRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedStatsRecipeOptions) {
    checkOptions('FedStatsRecipe', options);
    const { statistics, features, bins, ranges, quantiles, minSites } = options;
    const { roundDeadlineSeconds, graceSeconds, roundRetries, siteErrors } = options;
    const stragglers = { roundDeadlineSeconds, graceSeconds, roundRetries, siteErrors };
    const { minCount, minNoiseLevel, maxNoiseLevel, maxBinsPercent } = options;
    const workflow = {
      kind: 'fed-stats',
      minSites: minSites ?? sitesOf(options.sites).length,
      ...given({ statistics, features, bins, ranges, quantiles, ...stragglers }),
    };
    const trainer = { kind: 'statistics', ...given({ minCount, minNoiseLevel, maxNoiseLevel, maxBinsPercent }) };
    super({ ...commonInput(options), workflow, trainer }, 'FedStatsRecipe', options.folder);
  }
}

/** The options that were given. */
function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
