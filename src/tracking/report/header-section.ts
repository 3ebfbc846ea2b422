/**
 * The top of the report: what ran, how it ended, the key figures; and the facts of the run, at its end.
 *
 * @module
 */
import { statisticsOf } from '../../statistics/statistics-of';
import type { RoundEntry } from '../round-metrics';
import { summarise } from '../round-metrics';
import { formatCount, formatDuration, formatScore, formatTime } from './format';
import { type Html, html } from './html';
import type { ReportData, ReportMetric } from './report-data';
import { type Protection, verdictOf } from './verdict';

const outcomes: Readonly<Record<ReportData['outcome'], readonly [tone: string, text: string]>> = {
  finished: ['good', 'Finished'],
  aborted: ['warn', 'Stopped'],
  failed: ['bad', 'Failed'],
};

/** The colour of a verdict. */
export const tones: Readonly<Record<Protection, string>> = {
  none: 'plain',
  'not-private': 'bad',
  meaningless: 'bad',
  weak: 'warn',
  private: 'good',
};

export function headerSection(data: ReportData): Html {
  const [tone, outcome] = outcomes[data.outcome];
  const verdict = verdictOf(data.entries);
  return html`<header>
<p class="eyebrow">Federated learning report</p>
<h1>${data.job}</h1>
${data.description !== undefined && html`<p class="lead">${data.description}</p>`}
<ul class="badges">
<li class="badge ${tone}">${outcome}</li>
${data.syntheticData && html`<li class="badge warn">Synthetic data</li>`}
<li class="badge ${tones[verdict.protection]}">${verdict.badge}</li>
</ul>
${data.error !== undefined && html`<div class="verdict bad"><strong>Why it ended early</strong><p>${data.error}</p></div>`}
${data.syntheticData && html`<p class="quiet" style="margin-top:14px">The images are computer-made phantoms. The scores say that the software works, nothing about patients.</p>`}
${tiles(data)}
</header>`;
}

function tiles({ entries, metric, plannedRounds, sites, seconds }: ReportData): Html {
  const { best, final, rounds } = summarise(entries, metric.key);
  const bestEntry = entries.find(({ round }) => round === best?.round);
  const last = final ?? entries.at(-1);
  const scores = statisticsOf(entries.at(-1)?.results ?? {})
    ? []
    : [
        tile(`Best ${metric.name}`, formatScore(best?.value), bestEntry && modelName(bestEntry)),
        tile(
          final ? `Final ${metric.name}` : `Last ${metric.name}`,
          formatScore(last?.metrics[metric.key]),
          parts(metric, last?.metrics),
        ),
      ];
  return html`<dl class="tiles">
${scores}
${tile('Rounds', formatCount(rounds), rounds === plannedRounds ? undefined : `of ${plannedRounds} planned`)}
${tile('Sites', formatCount(sites.length), sites.length <= 4 ? sites.join(', ') : undefined)}
${tile('Duration', formatDuration(seconds), undefined)}
</dl>`;
}

function tile(name: string, value: string, note: string | undefined): Html {
  return html`<div class="tile"><dt>${name}</dt><dd>${value}${note !== undefined && html`<small>${note}</small>`}</dd></div>`;
}

function parts(metric: ReportMetric, metrics: RoundEntry['metrics'] | undefined): string | undefined {
  if (!metrics || metric.parts.length === 0) return undefined;
  return metric.parts.map(({ key, name }) => `${name}\u00a0${formatScore(metrics[key])}`).join(' · ');
}

/** Which global model an entry scored. */
export function modelName({ round, final }: Pick<RoundEntry, 'round' | 'final'>): string {
  if (final) return `finished model, after ${round} ${round === 1 ? 'round' : 'rounds'}`;
  return round === 0 ? 'initial model' : `model after ${round} ${round === 1 ? 'round' : 'rounds'}`;
}

export function factsSection(data: ReportData): Html {
  const facts: readonly (readonly [string, string | Html | undefined])[] = [
    ['Started', formatTime(data.startedAt)],
    ['Seed', String(data.seed)],
    ['Numbers in the model', data.parameters === undefined ? undefined : formatCount(data.parameters)],
    ['SHA-256 of the final model', data.modelSha256 === undefined ? undefined : html`<code>${data.modelSha256}</code>`],
    ...Object.entries(data.versions).map(([name, version]) => [name, version] as const),
  ];
  const shown = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [html`<dt>${name}</dt><dd>${value}</dd>`],
  );
  return html`<section><h2>Facts</h2><p class="quiet">With the same job, seed and versions, the final model is the same to the byte, unless a privacy filter draws fresh noise.</p><div class="card"><dl class="facts">${shown}</dl></div></section>`;
}
