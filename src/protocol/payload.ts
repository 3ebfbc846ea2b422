/**
 * What travels between the server and a site, apart from how it travels.
 *
 * @module
 */
import type { PayloadKind } from '../jobs/filter-spec';
import type { NamedTensors } from '../tensor/tensor';

/** Scalars by name; `null` where a metric is not defined (a Dice over an empty region, say). */
export type Metrics = Readonly<Record<string, number | null>>;

/** Most metrics of a payload, and the longest name of one, in characters. */
export const mostMetrics = 1024;
export const longestMetricName = 128;

/** More optimiser steps than any site can take in a round: the bound on the weight of an update. */
export const mostSteps = 1e7;

/** Numbers on their way out of or into a site. Filters change or block payloads; nothing else leaves a site. */
export interface Payload {
  readonly kind: PayloadKind;
  readonly tensors: NamedTensors;
  readonly metrics: Metrics;
  /** Optimiser steps behind the tensors, ≥ 0: the weight of the update in the average. */
  readonly steps: number;
}
