/**
 * What federated statistics come to: plain data for files, tables and reports.
 *
 * @module
 */

export interface Histogram {
  /** One more than bins, ascending. Each bin holds its lower edge; the last one, both. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** Values outside the range. */
  readonly below: number;
  readonly above: number;
}

export interface Quantiles {
  /** By probability; `null` where it lies outside the range. */
  readonly values: Readonly<Record<string, number | null>>;
  /** No quantile is off by more: the width of the bins they are read from. */
  readonly within: number;
}

/** Statistics of one feature; those that were not asked for are absent, and what was held back is `null`. */
export interface FeatureStatistics {
  readonly count: number;
  /** Values that are missing. */
  readonly failureCount?: number;
  readonly sum?: number;
  readonly mean?: number;
  /** Of a sample: the divisor is count − 1. `null` for a single value. */
  readonly stddev?: number | null;
  /** Moved outwards by noise. */
  readonly min?: number;
  readonly max?: number;
  readonly histogram?: Histogram | null;
  readonly quantiles?: Quantiles | null;
}

export interface FeatureResult {
  /** Over the sites that gave the feature; `null` when none did. */
  readonly global: FeatureStatistics | null;
  /** `null` for a site that does not have the feature, or too few cases of it. */
  readonly sites: Readonly<Record<string, FeatureStatistics | null>>;
}

export interface FederatedStatistics {
  /** How far the numbers are protected, in words. */
  readonly notice: string;
  readonly features: Readonly<Record<string, FeatureResult>>;
}
