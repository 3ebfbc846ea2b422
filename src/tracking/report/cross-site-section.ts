import { type CrossSiteMatrix, scoreIn } from '../../workflows/cross-site-matrix';
import { formatScore } from './format';
import { type Html, html } from './html';
import type { ReportData } from './report-data';

/** Every model at every site, by the key metric; the best model of each site is marked. */
export function crossSiteSection({ crossSite, metric }: ReportData): Html | undefined {
  if (!crossSite) return undefined;
  const { models, sites } = crossSite;
  const best = new Map(sites.map((site) => [site, bestAt(crossSite, site)]));
  const row = (model: string) =>
    html`<tr><td class="text">${model}</td>${sites.map((site) => {
      const marked = best.get(site) === model;
      return html`<td>${formatScore(scoreIn(crossSite, model, site))}${marked && ' ★'}</td>`;
    })}</tr>`;
  return html`<section><h2>Cross-site evaluation</h2>
<p class="lead">${metric.name} of every model, in rows, on the cases of every site, in columns. The best model of each site is marked.</p>
<div class="scroll"><table><thead><tr><th class="text">Model</th>${sites.map((site) => html`<th>${site}</th>`)}</tr></thead>
<tbody>${models.map(row)}</tbody></table></div></section>`;
}

/** The model with the best score at a site; of equals, the first. */
function bestAt(matrix: CrossSiteMatrix, site: string): string | undefined {
  const sign = matrix.keyMetricMode === 'max' ? 1 : -1;
  let best: { readonly model: string; readonly value: number } | undefined;
  for (const model of matrix.models) {
    const score = scoreIn(matrix, model, site);
    if (score !== null && (!best || sign * score > best.value)) best = { model, value: sign * score };
  }
  return best?.model;
}
