/**
 * The scores of a translation model as people read them.
 *
 * @module
 */
import type { TranslationEvaluation } from '../runtime/evaluate-translation';

/** Name of a score in the table, and digits after the point. */
const columns = [
  ['ssim', 'SSIM', 4],
  ['mse', 'MSE', 5],
  ['masked_mse', 'masked MSE', 5],
  ['relative_error', 'rel. error', 4],
  ['psnr', 'PSNR dB', 2],
  ['zoomed_ssim', 'zoomed SSIM', 4],
] as const;

const WIDTH = 19;

/** A line a site, mean ± deviation over its slices, and the mean of the sites. */
export function translationTable({ translation, split, sites, overall, predictions }: TranslationEvaluation): string[] {
  const first = Math.max(10, ...sites.map(({ site }) => site.length)) + 2;
  const row = (head: string, count: string, cells: readonly string[]) =>
    `${head.padEnd(first)}${count.padStart(6)}  ${cells.map((cell) => cell.padStart(WIDTH)).join('')}`;
  const lines = sites.map(({ site, slices, scores }) =>
    row(
      site,
      String(slices),
      columns.map(([name, , digits]) => meanAndDeviation(scores[name], digits)),
    ),
  );
  const means = columns.map(([name, , digits]) => overall[name]?.toFixed(digits) ?? '–');
  return [
    `${translation.toUpperCase().replace(':', ' to ')}, ${split} slices: mean ± deviation over the slices of a site`,
    row(
      'site',
      'slices',
      columns.map(([, title]) => title),
    ),
    ...lines,
    ...(sites.length > 1 ? [row('mean', '', means)] : []),
    ...(predictions === undefined ? [] : [`Predictions in ${predictions}`]),
  ];
}

function meanAndDeviation({ mean, std }: { mean: number | null; std: number | null }, digits: number): string {
  return mean === null ? '–' : `${mean.toFixed(digits)} ± ${(std ?? 0).toFixed(digits)}`;
}
