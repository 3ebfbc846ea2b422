/**
 * Several runs on one page: a curve for each, and a table of what their finished models are worth at every site.
 *
 * @module
 */
import type { Comparison, RunScores } from '../comparison';
import { type Curve, type CurveColor, lineChart } from './charts';
import { formatDuration, formatNumber, formatScore } from './format';
import { type Html, html } from './html';
import { page } from './page';

const colors: readonly CurveColor[] = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];

/** The page as HTML. Equal comparisons give equal text; it loads and runs nothing. */
export function renderComparison(comparison: Comparison): string {
  const { runs, keyMetric, synthetic } = comparison;
  return page(
    `${runs.length} runs compared`,
    html`<header><p class="eyebrow">Comparison</p><h1>${runs.length} runs by ${nameOf(keyMetric)}</h1>
${synthetic && html`<ul class="badges"><li class="badge warn">Synthetic data</li></ul><p class="quiet" style="margin-top:14px">The images are computer-made phantoms. The scores say how the strategies behave on them, nothing about patients.</p>`}
</header>
<section><h2>Finished models</h2><p class="lead">Means over the sites, each of which scores on its own cases the model it would use: where a strategy lets sites keep tensors of their own, with these. The best is first.</p>${finishedTable(comparison)}</section>
<section><h2>By site</h2><p class="lead">${nameOf(keyMetric)} of the finished model at every site.</p>${siteTable(comparison)}</section>
<section><h2>Rounds</h2><div class="card"><h3>${nameOf(keyMetric)} by round</h3>${chart(comparison)}</div></section>
<footer>Written by Consilium. Wobble: standard deviation of the change from round to round over the second half of the run.</footer>`,
  );
}

/** `val_relative_error` → `relative error`; short names in capitals. */
export function nameOf(metric: string): string {
  const words = metric.replace(/^val_/, '').replaceAll('_', ' ');
  return words.length <= 4 ? words.toUpperCase() : words;
}

function finishedTable({ runs, metrics }: Comparison): Html {
  const head = [...metrics.map(nameOf), 'Best round', 'Wobble', 'Rounds', 'Time'];
  return table(['Run', ...head], runs, ({ name, outcome, metrics: found, best, wobble, rounds, seconds }) => [
    outcome === 'finished' ? name : `${name} (${outcome})`,
    ...metrics.map((metric) => formatNumber(found[metric])),
    best ? `${formatScore(best.value)} at ${best.round}` : '–',
    formatNumber(wobble),
    String(rounds),
    formatDuration(seconds),
  ]);
}

function siteTable({ runs, sites, keyMetric }: Comparison): Html {
  return table(['Run', ...sites], runs, ({ name, bySite }) => [
    name,
    ...sites.map((site) => formatScore(bySite.find((one) => one.site === site)?.metrics[keyMetric])),
  ]);
}

function table(
  head: readonly string[],
  runs: readonly RunScores[],
  cells: (run: RunScores) => readonly string[],
): Html {
  const [first, ...others] = head;
  const rows = runs.map((run, i) => {
    const [name, ...values] = cells(run);
    return html`<tr${i === 0 && html` class="best"`}><td class="text">${name}</td>${values.map((value) => html`<td>${value}</td>`)}</tr>`;
  });
  return html`<div class="scroll"><table><thead><tr><th class="text">${first}</th>${others.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function chart({ runs, keyMetric }: Comparison): Html {
  const curves = runs.map(
    ({ name, curve }, i): Curve => ({ name, points: curve, color: colors[i % colors.length]!, strong: i === 0 }),
  );
  return lineChart({
    label: `${nameOf(keyMetric)} of each run by round.`,
    xName: 'rounds of training behind the model',
    curves,
    wide: true,
  });
}
