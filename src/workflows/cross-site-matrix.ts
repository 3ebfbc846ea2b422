import type { Metrics } from '../protocol/payload';
import type { Json } from '../util/json';

/** Name of the matrix among the results of a run. */
export const crossSiteResult = 'cross-site-evaluation';

/** Every model at every site. */
export interface CrossSiteMatrix {
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  readonly sites: readonly string[];
  /** In the order in which they were scored: of the sites, then of the server. */
  readonly models: readonly string[];
  /** By model, then by site; `null` for a site that gave no scores. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, Metrics | null>>>>;
}

/** The matrix among the results of a run, if there is one. */
export function crossSiteMatrix(results: Readonly<Record<string, Json>> = {}): CrossSiteMatrix | undefined {
  // Written by the workflow of this very library.
  return results[crossSiteResult] as unknown as CrossSiteMatrix | undefined;
}

/** The key metric of a model at a site; `null` when it is not defined. */
export function scoreIn({ keyMetric, scores }: CrossSiteMatrix, model: string, site: string): number | null {
  return scores[model]?.[site]?.[keyMetric] ?? null;
}
