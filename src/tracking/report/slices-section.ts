/**
 * Translated slices: what a site gave in, what it should have got, what the model made of it, and where the two differ.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import { formatNumber, formatScore } from './format';
import { heatDataUri, heatStops } from './heat';
import { type Html, html, trusted } from './html';
import type { ReportData, SliceImages } from './report-data';
import { type Plane, pngDataUri } from './slice';

/** The section; nothing when the run translated no slices. @throws ShapeError for an image of another size than it says */
export function slicesSection({ slices = [], syntheticData }: ReportData): Html | undefined {
  if (slices.length === 0) return undefined;
  const limit = errorLimit(slices);
  const scale = trusted(`background:linear-gradient(90deg,${heatStops.join(',')})`);
  return html`<section><h2>Translated slices</h2>
<p class="lead">Of each site the slice with the best score, one from the middle and the one with the worst${syntheticData && ' (synthetic)'}. Prediction and target share one grey scale.</p>
<div class="between"><ul class="legend"><li>|prediction − target| from 0 <i style="width:120px;height:10px;${scale}"></i> to ${formatNumber(limit)} and above</li></ul></div>
${bySite(slices).map(([site, those]) => siteCard(site, those, limit))}</section>`;
}

function bySite(slices: readonly SliceImages[]): readonly (readonly [string, readonly SliceImages[]])[] {
  const sites = [...new Set(slices.map(({ site }) => site))];
  return sites.map((site) => [site, slices.filter((one) => one.site === site)]);
}

function siteCard(site: string, slices: readonly SliceImages[], limit: number): Html {
  const heads = ['source', 'target', 'prediction', 'error'].map((name) => html`<b>${name}</b>`);
  return html`<div class="card case"><header><h3>${site}</h3></header>
<div class="slices" style="--columns:4"><span></span>${heads}${slices.map((one) => row(one, limit))}</div></div>`;
}

function row(one: SliceImages, limit: number): Html {
  const { name, source, target, prediction, rank } = one;
  const error = plane(
    one,
    prediction.map((value, i) => Math.abs(value - target[i]!)),
  );
  const top = Math.max(largest(target), Number.MIN_VALUE);
  const pictures = [
    ['source', pngDataUri(grey(plane(one, source), Math.max(largest(source), Number.MIN_VALUE)))],
    ['target', pngDataUri(grey(plane(one, target), top))],
    ['prediction', pngDataUri(grey(plane(one, prediction), top))],
    ['error', heatDataUri(error, limit)],
  ] as const;
  const [height, width] = [error.height, error.width];
  const cells = pictures.map(
    ([what, uri]) => html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${what} of ${name}">
<image width="${width}" height="${height}" href="${uri}"/></svg>`,
  );
  const scores = Object.entries(one.scores).map(([key, value]) => `${key} ${formatScore(value)}`);
  return html`<b class="row">${rank}</b>${cells}<span></span><p class="caption">${[name, ...scores].join(' · ')}</p>`;
}

/** As radiologists look at it when the first axis runs to the patient's right and the second to the front. */
function plane({ shape: [x, y], name }: SliceImages, data: Float32Array): Plane<Float32Array> {
  if (data.length !== x * y) {
    throw new ShapeError(
      `An image of slice '${name}' has ${data.length} pixels, but its shape [${x}, ${y}] has ${x * y}.`,
    );
  }
  const seen = new Float32Array(x * y);
  for (let row = 0; row < y; row++) {
    for (let column = 0; column < x; column++) seen[row * x + column] = data[(x - 1 - column) * y + (y - 1 - row)]!;
  }
  return { width: x, height: y, data: seen };
}

function grey({ width, height, data }: Plane<Float32Array>, top: number): Plane<Uint8Array> {
  const values = Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value / top))));
  return { width, height, data: values };
}

function largest(data: Float32Array): number {
  return data.reduce((most, value) => (value > most ? value : most), 0);
}

/** One error scale for all pictures: what 99 of 100 pixels of the worst slice stay below. */
function errorLimit(slices: readonly SliceImages[]): number {
  const limits = slices.map(({ prediction, target }) => {
    const errors = prediction.map((value, i) => Math.abs(value - target[i]!)).sort();
    return errors[Math.floor(0.99 * (errors.length - 1))] ?? 0;
  });
  return Math.max(...limits, Number.MIN_VALUE);
}
