import { statisticsOf } from '../../statistics/statistics-of';
import { statisticsTable } from '../../statistics/table';
import { type Html, html } from './html';
import type { ReportData } from './report-data';

/** The statistics of the sites' data; nothing for a run that formed none. */
export function statisticsSection({ entries }: ReportData): Html | false {
  const statistics = statisticsOf(entries.at(-1)?.results ?? {});
  if (!statistics) return false;
  const { columns, rows } = statisticsTable(statistics);
  return html`<section><h2>Statistics</h2>
<p class="lead">${statistics.notice}${columns.some((name) => name.endsWith('*')) && ' Columns with a star carry noise.'}</p>
<div class="scroll"><table><thead><tr><th class="text">Feature</th><th class="text">Site</th>${columns.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows.map(({ feature, site, cells }) => html`<tr><td class="text">${site === undefined && feature}</td><td class="text">${site ?? 'all'}</td>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
}
