import { describe, expect, it } from 'vitest';
import { MriTranslationRecipe } from './mri-translation-recipe';
import { tenStrategies } from './strategies';

describe('MriTranslationRecipe', () => {
  it("has the published experiment's settings on real data", () => {
    const { job } = new MriTranslationRecipe({ data: { path: 'data/{site}' }, nClients: 6 });
    expect(job.name).toBe('mri_fedavg');
    expect(job.sites).toHaveLength(6);
    expect(job.workflow).toMatchObject({ kind: 'fed-avg', rounds: 32, minSites: 6, keyMetric: 'val_ssim' });
    expect(job.model).toMatchObject({ kind: 'translation-unet', baseChannels: 64, norm: 'batch' });
    expect(job.trainer).toMatchObject({
      kind: 'translation',
      epochs: 4,
      batchSize: 32,
      learningRate: 1e-3,
      optimiser: { kind: 'adam', weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      loss: { kind: 'mse-dssim', dssim: { windowSize: 11, sigma: 1.5, dataRange: 'batch', border: 'reflect' } },
    });
    expect(job.data).toMatchObject({ kind: 'slices', source: 't1', target: 't2', normalisation: 'slice-max' });
  });

  it.each(tenStrategies)('is a job of its own name by %s', (strategy) => {
    expect(new MriTranslationRecipe({ strategy }).job.name).toBe(`mri_${strategy}`);
  });

  it('has FedProx at the μ of the study, and the losses that FedCostWAvg and FedPIDAvg weigh by', () => {
    expect(new MriTranslationRecipe({ strategy: 'fedprox' }).job.workflow).toMatchObject({ proximalMu: 0.001 });
    for (const strategy of ['fedcostw', 'fedpid'] as const) {
      const { trainer, workflow } = new MriTranslationRecipe({ strategy }).job;
      expect(trainer).toMatchObject({ validateEpochs: true });
      expect(workflow).toMatchObject({ aggregator: { metric: 'epoch_val_loss' } });
    }
    expect(new MriTranslationRecipe().job.trainer).toMatchObject({ validateEpochs: false });
  });

  it("is FedBAdam by Adam at the server and the sites' own normalisation", () => {
    const { workflow } = new MriTranslationRecipe({ strategy: 'fedbadam', seedExact: true }).job;
    expect(workflow).toMatchObject({
      serverOptimiser: { kind: 'adam', tau: 1e-3, initialSquare: 0 },
      personal: { names: ['norm'] },
    });
  });

  it('is the centralised baseline with one site that has the slices of all', () => {
    const { job } = new MriTranslationRecipe({ centralized: true });
    expect(job).toMatchObject({ name: 'mri_centralized', sites: ['site-1'], data: { sites: 4, centralized: true } });
    expect(() => new MriTranslationRecipe({ centralized: true, strategy: 'fedbn' })).toThrow(
      /one site and no strategy/,
    );
  });

  it('translates any two contrasts, and nothing else', () => {
    const { data } = new MriTranslationRecipe({ translation: 'flair:T1' }).job;
    expect(data).toMatchObject({ source: 'flair', target: 't1' });
    for (const translation of ['T1:T1', 'T1', 'T1:PD', 'T1:T2:FLAIR']) {
      expect(() => new MriTranslationRecipe({ translation })).toThrow(/two different contrasts/);
    }
  });

  it('has as many groups as a small network has channels for', () => {
    expect(new MriTranslationRecipe({ norm: 'group' }).job.model).toMatchObject({ baseChannels: 8, numGroups: 8 });
  });

  it('names an option that there is not', () => {
    expect(() => new MriTranslationRecipe({ clients: 4 } as never)).toThrow(/clients/);
    expect(() => new MriTranslationRecipe({ data: { patients: 4 } as never })).toThrow(/patients/);
  });
});
