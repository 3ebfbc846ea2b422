/**
 * The curves of a run: validation scores of the global model, and what each site saw.
 *
 * @module
 */
import type { RoundEntry, SiteEntry } from '../round-metrics';
import { summarise } from '../round-metrics';
import { type Curve, type CurveColor, lineChart } from './charts';
import { formatScore } from './format';
import { type Html, html } from './html';
import type { ReportData } from './report-data';

const colors: readonly CurveColor[] = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];
const xName = 'rounds of training behind the model';

export function curvesSection(data: ReportData): Html {
  const { metric, entries } = data;
  return html`<section><h2>Training</h2>
<p class="lead">Each round begins with a validation of the global model it starts from; the last point is the finished model.</p>
<div class="card"><h3>Validation ${metric.name} of the global model</h3>${scoreChart(data)}</div>
<div class="pair">
<div class="card"><h3>Training loss per site</h3>${siteChart(data, 'Training loss', ({ metrics }) => metrics?.train_loss, 'round')}</div>
<div class="card"><h3>Validation ${metric.name} per site</h3>${siteChart(data, metric.name, ({ metrics }) => metrics?.[metric.key], xName, [0, 1])}
${sitesAgree(entries, metric.key) && html`<p class="quiet" style="margin:8px 0 0;font-size:13px">All sites validate the same model on the same cases, so their curves lie on one another.</p>`}</div>
</div></section>`;
}

function scoreChart({ metric, entries }: ReportData): Html {
  const { best } = summarise(entries, metric.key);
  const curve = (key: string): Curve['points'] => entries.map(({ round, metrics }) => [round, metrics[key] ?? null]);
  const curves: readonly Curve[] = [
    { name: `${metric.name}, all`, color: 'ink', strong: true, points: curve(metric.key) },
    ...metric.parts.map(({ key, title, name }, i) => ({
      name: `${title} (${name})`,
      color: colors[i % colors.length]!,
      points: curve(key),
    })),
  ];
  return lineChart({
    label: `Validation ${metric.name} of the global model by round; best ${formatScore(best?.value)} at round ${best?.round ?? '–'}.`,
    xName,
    curves,
    yRange: [0, 1],
    wide: true,
    ...(best && { mark: { x: best.round, y: best.value, text: `best: ${formatScore(best.value)}` } }),
  });
}

function siteChart(
  { sites, entries }: ReportData,
  what: string,
  pick: (site: SiteEntry) => number | null | undefined,
  axis: string,
  yRange?: readonly [number, number],
): Html {
  const curves = sites.map((name, i): Curve => {
    const points = entries.flatMap((entry): Curve['points'] => {
      const site = entry.sites.find((one) => one.name === name);
      return site ? [[entry.round, pick(site) ?? null]] : [];
    });
    return { name, color: colors[i % colors.length]!, points };
  });
  return lineChart({ label: `${what} of each site by round.`, xName: axis, curves, ...(yRange && { yRange }) });
}

/** Whether in every entry all sites report the same score, and there are several. */
function sitesAgree(entries: readonly RoundEntry[], key: string): boolean {
  const scores = entries.map(({ sites }) =>
    sites.flatMap(({ metrics }) => (metrics?.[key] === undefined ? [] : [metrics[key]])),
  );
  return scores.some((of) => of.length > 1) && scores.every((of) => new Set(of).size <= 1);
}
