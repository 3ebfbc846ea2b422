import type { FederatedStatistics } from './result';

/** The statistics among the results of a run; `undefined` where there are none. */
export function statisticsOf(results: Readonly<Record<string, unknown>>): FederatedStatistics | undefined {
  return Object.hasOwn(results, 'statistics') ? (results.statistics as FederatedStatistics) : undefined;
}
