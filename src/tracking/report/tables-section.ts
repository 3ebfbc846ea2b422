/**
 * The numbers of a run in tables: rounds by metrics, and sites.
 *
 * @module
 */
import { type RoundEntry, type SiteEntry, summarise } from '../round-metrics';
import { formatCount, formatDuration, formatEpsilon, formatLoss, formatScore } from './format';
import { type Html, html } from './html';
import type { ReportData } from './report-data';

export function roundsSection(data: ReportData): Html {
  const { metric, entries } = data;
  const best = summarise(entries, metric.key).best?.round;
  const isPrivate = entries.some(({ privacy }) => privacy);
  const head = [metric.name, ...metric.parts.map(({ name }) => name), 'Train loss', 'Sites'];
  return html`<section><h2>Rounds</h2>
<p class="lead">Scores are those of the model that the round started from. The best is marked.</p>
<div class="scroll"><table><thead><tr><th class="text">Round</th>${head.map((name) => html`<th>${name}</th>`)}${isPrivate && html`<th>ε</th>`}<th>Time</th></tr></thead>
<tbody>${entries.map((entry) => roundRow(entry, data, entry.round === best, isPrivate))}</tbody></table></div></section>`;
}

function roundRow(entry: RoundEntry, { metric }: ReportData, isBest: boolean, isPrivate: boolean): Html {
  const { round, final, metrics, sites, privacy, seconds } = entry;
  const answered = sites.filter(({ status }) => status === 'ok').length;
  return html`<tr${isBest && html` class="best"`}><td class="text">${final ? 'finished model' : round}${isBest && ' ★'}</td>
<td>${formatScore(metrics[metric.key])}</td>${metric.parts.map(({ key }) => html`<td>${formatScore(metrics[key])}</td>`)}
<td>${final ? '' : formatLoss(metrics.train_loss)}</td><td>${answered} of ${sites.length}</td>
${isPrivate && html`<td>${privacy ? formatEpsilon(privacy.epsilon) : ''}</td>`}<td>${formatDuration(seconds)}</td></tr>`;
}

export function sitesSection({ entries, metric, sites }: ReportData): Html {
  const summaries = new Map(summarise(entries, metric.key).sites.map((site) => [site.name, site]));
  const rows = sites.map((name) => {
    const site = summaries.get(name);
    return html`<tr><td class="text">${name}</td><td class="text wrap">${participation(name, entries)}</td>
<td>${formatCount(site?.steps ?? 0)}</td><td>${formatLoss(site?.metrics.train_loss)}</td><td>${formatScore(site?.metrics[metric.key])}</td></tr>`;
  });
  return html`<section><h2>Sites</h2><p class="lead">Who took part, and the numbers of the last round that each site answered.</p>
<div class="scroll"><table><thead><tr><th class="text">Site</th><th class="text">Took part in</th><th>Steps</th><th>Train loss</th><th>${metric.name}</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

/** `3 of 3 rounds`; in how many the site took part, and why not in the others. */
function participation(name: string, entries: readonly RoundEntry[]): string {
  const rounds = entries.filter(({ final }) => !final);
  const missed = rounds.flatMap(({ round, sites }) => {
    const site = sites.find((one) => one.name === name);
    return site?.status === 'ok' ? [] : [`round ${round}: ${reasonOf(site)}`];
  });
  const share = `${rounds.length - missed.length} of ${rounds.length} rounds`;
  if (missed.length === 0) return share;
  const shown = missed.slice(0, 3).join('; ');
  const more = missed.length > 3 ? `; and ${missed.length - 3} more` : '';
  return `${share} (${shown}${more})`;
}

function reasonOf(site: SiteEntry | undefined): string {
  if (!site) return 'not asked';
  return site.reason === undefined ? site.status : `${site.status}, ${site.reason}`;
}
