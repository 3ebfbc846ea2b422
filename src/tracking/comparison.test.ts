import { describe, expect, it } from 'vitest';
import { type ComparedRun, compareRuns, wobbleOf } from './comparison';

function run(name: string, values: readonly number[], changes: Partial<ComparedRun> = {}): ComparedRun {
  const entries = values.map((value, round) => ({
    round,
    ...(round === values.length - 1 && { final: true as const }),
    metrics: { val_ssim: value, val_mse: 1 - value, train_loss: 1 },
    sites: ['site-1', 'site-2'].map((site, i) => ({
      name: site,
      status: 'ok' as const,
      metrics: { val_ssim: value + (i === 0 ? -0.1 : 0.1), val_mse: 1 - value },
    })),
    seconds: 2,
    time: '2026-01-31T12:00:00.000Z',
  }));
  const judged = { keyMetric: 'val_ssim', keyMetricMode: 'max' as const };
  return { name, outcome: 'finished', synthetic: true, entries, ...judged, ...changes };
}

describe('compareRuns', () => {
  it('puts the best finished model first, runs without a score last', () => {
    const runs = [run('none', []), run('low', [0.1, 0.9, 0.3]), run('high', [0.1, 0.2, 0.5])];
    expect(compareRuns(runs).runs.map(({ name }) => name)).toEqual(['high', 'low', 'none']);
  });

  it('puts the smallest first where smaller is better', () => {
    const small = { keyMetric: 'val_mse', keyMetricMode: 'min' } as const;
    const { runs, metrics } = compareRuns([run('low', [0.1, 0.3], small), run('high', [0.1, 0.5], small)]);
    expect(runs.map(({ name }) => name)).toEqual(['high', 'low']);
    expect(metrics).toEqual(['val_mse', 'val_ssim']);
  });

  it('tells the finished model by site, the best round, and the time of all rounds', () => {
    const comparison = compareRuns([run('a', [0.1, 0.9, 0.5])]);
    expect(comparison.sites).toEqual(['site-1', 'site-2']);
    expect(comparison.runs[0]).toMatchObject({
      rounds: 2,
      best: { round: 1, value: 0.9 },
      metrics: { val_ssim: 0.5 },
      bySite: [
        { site: 'site-1', metrics: { val_ssim: 0.4 } },
        { site: 'site-2', metrics: { val_ssim: 0.6 } },
      ],
      curve: [
        [0, 0.1],
        [1, 0.9],
        [2, 0.5],
      ],
      seconds: 6,
    });
  });

  it('refuses no run, and runs that are judged differently', () => {
    expect(() => compareRuns([])).toThrow(/no run/);
    expect(() => compareRuns([run('a', [1]), run('b', [1], { keyMetric: 'val_dice' })])).toThrow(
      /'a' is judged by the max of val_ssim, 'b' by the max of val_dice/,
    );
  });
});

describe('wobbleOf', () => {
  it('is the standard deviation of the changes over the second half', () => {
    // Second half 4, 6, 5, 9: changes 2, −1, 4 about 5/3.
    expect(wobbleOf([0, 1, 2, 3, 4, 6, 5, 9])).toBeCloseTo(Math.sqrt((1 / 9 + 64 / 9 + 49 / 9) / 3), 12);
  });

  it('is 0 on a straight line, and not defined on a short one', () => {
    expect(wobbleOf([1, 2, 3, 4, 5, 6])).toBe(0);
    expect(wobbleOf([1, 2, 3])).toBeNull();
  });
});
