import { describe, expect, it } from 'vitest';
import { aggregatorSpec, fewestUpdates } from './aggregator-spec';
import { explain } from './job-problems';
import { jobSpec } from './job-spec';

const jobOf = (aggregator: object, sites: number, more: object = {}) => ({
  version: 1,
  name: 'robust',
  sites: Array.from({ length: sites }, (_, i) => `site-${i + 1}`),
  workflow: { kind: 'fed-avg', rounds: 1, minSites: 1, aggregator, ...more },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'script', script: 'train.ts' },
});
const problemsOf = (job: object) => explain(jobSpec, job).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('an aggregator of a job', () => {
  it.each([
    [{ kind: 'median' }, 3],
    [{ kind: 'geometric-median' }, 3],
    [{ kind: 'trimmed-mean' }, 5],
    [{ kind: 'trimmed-mean', share: 0.25 }, 4],
    [{ kind: 'trimmed-mean', share: 0.3 }, 4],
    [{ kind: 'krum', faulty: 2 }, 7],
    [{ kind: 'multi-krum', faulty: 2 }, 7],
    [{ kind: 'multi-krum', faulty: 2, selected: 6 }, 8],
    [{ kind: 'bulyan', faulty: 2 }, 11],
  ])('asks for as many sites as its promise needs: %o, %i', (aggregator, needed) => {
    expect(problemsOf(jobOf(aggregator, needed))).toEqual([]);
    const { kind } = aggregator;
    expect(problemsOf(jobOf(aggregator, needed - 1))).toEqual([
      `workflow.aggregator: '${kind}' needs the updates of ${needed} sites with these settings, but ${needed - 1} are asked`,
    ]);
    expect(problemsOf(jobOf(aggregator, needed + 5, { sitesPerRound: needed - 1 }))).toHaveLength(1);
  });

  it('does not care how many there are where it promises nothing of the kind', () => {
    for (const kind of ['weighted-mean', 'mean', 'cost-weighted', 'pid-weighted']) {
      expect(fewestUpdates(aggregatorSpec.parse({ kind }))).toBe(1);
    }
    const untrained = { kind: 'cross-site-eval', rounds: 0, checkpoints: {} };
    const job = { ...jobOf({ kind: 'krum' }, 2, untrained), model: { kind: 'checkpoint', file: 'model.pt' } };
    expect(problemsOf(job)).toEqual([]);
  });

  it('has the defaults of its paper', () => {
    expect(aggregatorSpec.parse({ kind: 'cost-weighted' })).toMatchObject({ alpha: 0.5, metric: 'train_loss' });
    expect(aggregatorSpec.parse({ kind: 'pid-weighted' })).toMatchObject({
      ...{ alpha: 0.45, beta: 0.45, gamma: 0.1, window: 5, absolute: false, metric: 'train_loss' },
    });
  });

  it('says what is wrong with its options', () => {
    const wrong = { kind: 'pid-weighted', alpha: 0.5, beta: 0.5, gamma: 0.5 };
    expect(problemsOf(jobOf(wrong, 3))).toEqual([
      'workflow.aggregator.gamma: alpha, beta and gamma must add up to 1 (found 0.5)',
    ]);
    for (const bad of [
      { kind: 'trimmed-mean', share: 0.5 },
      { kind: 'krum', faulty: -1 },
      { kind: 'bulyan', faulty: 0.5 },
      { kind: 'centred-clipping' },
      { kind: 'norm-clipping', maxNorm: 0 },
      { kind: 'median', share: 0.1 },
      { kind: 'medain' },
    ]) {
      expect(problemsOf(jobOf(bad, 9))).toHaveLength(1);
    }
    expect(problemsOf(jobOf({ kind: 'medain' }, 9))[0]).toMatch(/median/);
  });
});
