/**
 * Federated statistics as a table: a row for each feature, and under it one for each site.
 *
 * @module
 */
import type { FeatureStatistics, FederatedStatistics } from './result';

export interface StatisticsTable {
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly feature: string;
    /** The site; `undefined` for all together. */
    readonly site: string | undefined;
    readonly cells: readonly string[];
  }[];
}

/** What stands where a site gave nothing, or a number is not defined. */
const nothing = '–';

export function statisticsTable({ features }: FederatedStatistics): StatisticsTable {
  const all = Object.values(features).flatMap(({ global, sites }) => [global, ...Object.values(sites)]);
  const columns = columnsOf(all.filter((one) => one !== null));
  const cells = (one: FeatureStatistics | null) => columns.map(({ read }) => (one ? shown(read(one)) : nothing));
  return {
    columns: columns.map(({ name }) => name),
    rows: Object.entries(features).flatMap(([feature, { global, sites }]) => [
      { feature, site: undefined, cells: cells(global) },
      ...Object.entries(sites).map(([site, one]) => ({ feature, site, cells: cells(one) })),
    ]),
  };
}

interface Column {
  readonly name: string;
  readonly read: (one: FeatureStatistics) => number | null | undefined;
}

const plainColumns: readonly Column[] = [
  { name: 'count', read: ({ count }) => count },
  { name: 'missing', read: ({ failureCount }) => failureCount },
  { name: 'sum', read: ({ sum }) => sum },
  { name: 'mean', read: ({ mean }) => mean },
  { name: 'std', read: ({ stddev }) => stddev },
  { name: 'min*', read: ({ min }) => min },
  { name: 'max*', read: ({ max }) => max },
];

/** The statistics that anyone gave. */
function columnsOf(all: readonly FeatureStatistics[]): readonly Column[] {
  const probabilities = [...new Set(all.flatMap(({ quantiles }) => Object.keys(quantiles?.values ?? {})))];
  const quantiles = probabilities.map((p): Column => ({ name: `q${p}`, read: (one) => one.quantiles?.values[p] }));
  return [...plainColumns.filter(({ read }) => all.some((one) => read(one) !== undefined)), ...quantiles];
}

/** Five digits; whole numbers whole. */
function shown(value: number | null | undefined): string {
  if (value === null || value === undefined) return nothing;
  return Number.isInteger(value) && Math.abs(value) < 1e12 ? String(value) : String(Number(value.toPrecision(5)));
}
