import type { FederatedStatistics } from '../statistics/result';
import { statisticsTable } from '../statistics/table';
import { outColours } from './colours';

/** With more sites, the terminal shows the numbers of all together only. */
const mostSites = 6;

/** Federated statistics as the lines of a table, each feature with its sites below it, and what is to be known of it. */
export function statisticsLines(statistics: FederatedStatistics): string[] {
  const { columns, rows } = statisticsTable(statistics);
  const sites = new Set(rows.flatMap(({ site }) => site ?? []));
  const shown = rows.filter(({ site }) => site === undefined || sites.size <= mostSites);
  const cells = [
    ['', ...columns],
    ...shown.map(({ feature, site, cells }) => [site === undefined ? feature : `  ${site}`, ...cells]),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i + 1]!.length)));
  const first = Math.max(...cells.map(([name]) => name!.length));
  const lines = cells.map(([name, ...values]) =>
    [name!.padEnd(first), ...values.map((value, i) => value.padStart(widths[i]!))].join('  '),
  );
  const marked = columns.some((name) => name.endsWith('*'));
  const legend = marked ? ['* moved outwards by noise'] : [];
  return [...lines.map((line, i) => (i === 0 ? outColours.dim(line) : line)), ...legend, statistics.notice];
}
