/** The Dice metric and its reductions against MONAI 1.5.0 (metrics.json, where null stands for NaN). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diceScores, reduceScores } from '../../src/nn/metrics/dice';

const golden = JSON.parse(readFileSync(join(__dirname, 'metrics.json'), 'utf8'));
const masks: Record<string, number[]> = { empty: [0, 0, 0, 0], a: [1, 0, 1, 0], b: [1, 1, 0, 0] };
const orNaN = (value: number | null): number => value ?? Number.NaN;

describe('the Dice metric', () => {
  it.each([
    ['pred_empty_gt_empty', 'empty', 'empty', true],
    ['pred_a_gt_empty', 'a', 'empty', true],
    ['pred_empty_gt_a', 'empty', 'a', true],
    ['a_b', 'a', 'b', true],
    ['ie=False ee', 'empty', 'empty', false],
    ['ie=False a,e', 'a', 'empty', false],
  ] as const)('equals the golden value: %s', (key, prediction, truth, ignoreEmpty) => {
    const scores = diceScores(masks[prediction]!, masks[truth]!, 1, { ignoreEmpty });
    expect(scores).toEqual([orNaN(golden.dice_metric[key][0][0])]);
  });
});

describe('reductions', () => {
  const cases: number[][] = golden.reduction.none[0].map((row: (number | null)[]) => row.map(orNaN));

  it.each(['mean', 'sum'] as const)('to one number: %s', (mode) => {
    const [value, counts] = golden.reduction[mode];
    const reduced = reduceScores(cases, mode);
    expect(reduced.value).toBeCloseTo([value].flat()[0], 6);
    expect(reduced.counts).toBe(counts);
  });

  it.each(['mean_batch', 'sum_batch', 'mean_channel', 'sum_channel'] as const)('to a vector: %s', (mode) => {
    const [value, counts] = golden.reduction[mode];
    const reduced = reduceScores(cases, mode);
    value.forEach((expected: number, i: number) => {
      expect(reduced.value[i]).toBeCloseTo(expected, 6);
    });
    expect(reduced.counts).toEqual(counts);
  });
});
