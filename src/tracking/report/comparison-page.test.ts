import { expect, test } from 'vitest';
import { finalEntry, round } from '../../../test/support/report-data';
import { compareRuns } from '../comparison';
import { nameOf, renderComparison } from './comparison-page';

const run = (name: string, dice: number) => ({
  name,
  outcome: 'finished',
  keyMetric: 'val_dice',
  keyMetricMode: 'max' as const,
  synthetic: false,
  entries: [round(0, 0.1), round(1, dice / 2), finalEntry(2, dice)],
});

test('shows each run in a curve and in both tables, the best first', () => {
  const page = renderComparison(compareRuns([run('fedavg', 0.4), run('fedbadam', 0.8)]));
  const text = page
    .replace(/<svg[\s\S]*?<\/svg>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
  expect(text).toContain('Run DICE dice tc dice wt dice et Best round Wobble Rounds Time fedbadam 0.8 0.4 0.8 –');
  expect(text).toContain('Run site-1 site-2 fedbadam 0.800 0.800 fedavg 0.400 0.400');
  expect(page.match(/<svg class="chart"/g)).toHaveLength(2); // For wide and for narrow screens.
  expect(text).not.toContain('Synthetic');
});

test('escapes names, and says when data are synthetic', () => {
  const page = renderComparison(compareRuns([{ ...run('<b>x', 0.4), synthetic: true }]));
  expect(page).not.toContain('<b>x');
  expect(page).toContain('Synthetic data');
});

test('reads names of metrics as people write them', () => {
  expect(['val_ssim', 'val_relative_error', 'val_mse'].map(nameOf)).toEqual(['SSIM', 'relative error', 'MSE']);
});
