/**
 * A few validation cases: slices of every modality with the truth and the prediction drawn over them.
 *
 * @module
 */
import { outline } from './contours';
import { enlarge } from './enlarge';
import { formatScore } from './format';
import { escapeHtml, type Html, html, trusted } from './html';
import { bratsLabels, type CaseImages, type LabelStyle, type ReportData } from './report-data';
import { type CaseSlice, cutSlice, type Plane, pngDataUri } from './slice';

export function casesSection({ cases, labels = bratsLabels, syntheticData }: ReportData): Html | undefined {
  if (cases.length === 0) return undefined;
  const legend = labels.map(({ name, color }) => html`<li><i class="dot" style="background:${color}"></i>${name}</li>`);
  return html`<section><h2>Validation cases</h2>
<p class="lead">The axial slice with most tumour of ${cases.length === 1 ? 'a case' : `${cases.length} cases`}${syntheticData && ' (synthetic)'}, predicted by the best model. The patient’s right is on the left.</p>
<div class="between"><ul class="legend">${legend}</ul><label class="toggle"><input type="checkbox" id="overlays" checked> Show labels</label></div>
${cases.map((one, i) => caseCard(one, i, labels))}</section>`;
}

function caseCard(images: CaseImages, index: number, labels: readonly LabelStyle[]): Html {
  const slice = cutSlice(images);
  const scores = Object.entries(images.scores).map(([name, score]) => `${name} ${formatScore(score)}`);
  const facts = [`slice ${slice.index + 1} of ${images.shape[2]}`, ...scores].join(' · ');
  const heads = slice.modalities.map(({ name }) => html`<b>${name}</b>`);
  return html`<div class="card case"><header><h3>${images.name}</h3><span>${facts}</span></header>
${definitions(slice, index, labels)}
<div class="slices" style="--columns:${slice.modalities.length}"><span></span>${heads}
<b class="row">Ground truth</b>${cells(slice, index, 'truth', images.name)}
<b class="row">Prediction</b>${cells(slice, index, 'prediction', images.name)}</div></div>`;
}

/** Pictures and outlines, once each; the cells refer to them. */
function definitions(slice: CaseSlice, index: number, labels: readonly LabelStyle[]): Html {
  const pictures = slice.modalities.map(
    ({ plane }, m) =>
      `<image id="case${index}-image${m}" width="${plane.width}" height="${plane.height}" href="${pngDataUri(display(plane))}"/>`,
  );
  const outlines = (['truth', 'prediction'] as const).map(
    (which) => `<g id="case${index}-${which}" class="labels">${labelPaths(slice[which], labels)}</g>`,
  );
  return trusted(
    `<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>${pictures.join('')}${outlines.join('')}</defs></svg>`,
  );
}

/** Small pictures are enlarged to about the size they are shown at. */
function display(plane: Plane<Uint8Array>): Plane<Uint8Array> {
  return plane.width <= 100 ? enlarge(plane, 3) : plane;
}

function labelPaths({ width, height, data }: Plane<Uint8Array>, labels: readonly LabelStyle[]): string {
  return labels
    .map(({ value, color }) => {
      const path = outline(width, height, (column, row) => data[row * width + column] === value);
      const paint = escapeHtml(color);
      return path === '' ? '' : `<path fill="${paint}" stroke="${paint}" d="${path}"/>`;
    })
    .join('');
}

function cells(slice: CaseSlice, index: number, which: 'truth' | 'prediction', name: string): readonly Html[] {
  return slice.modalities.map(
    (
      modality,
      m,
    ) => html`<svg viewBox="0 0 ${modality.plane.width} ${modality.plane.height}" role="img" aria-label="${modality.name} of ${name} with the ${which}">
<use href="#case${index}-image${m}"/><use class="overlay" href="#case${index}-${which}"/></svg>`,
  );
}
