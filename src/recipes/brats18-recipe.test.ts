import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors';
import { Brats18Recipe } from './brats18-recipe';

describe('Brats18Recipe', () => {
  it("has the published experiment's settings on real data", () => {
    const { job } = new Brats18Recipe({ data: { baseDir: 'data', datalistDir: 'lists' } });
    expect(job.name).toBe('brats18_4');
    expect(job.sites).toEqual(['site-1', 'site-2', 'site-3', 'site-4']);
    expect(job.workflow).toMatchObject({ kind: 'fed-avg', rounds: 600, minSites: 4, keyMetric: 'val_dice' });
    expect(job.model).toEqual({
      kind: 'segresnet',
      spatialDims: 3,
      initFilters: 16,
      inChannels: 4,
      outChannels: 3,
      dropoutProb: 0.2,
      blocksDown: [1, 2, 2, 4],
      blocksUp: [1, 1, 1],
      norm: 'group',
      numGroups: 8,
      act: 'relu',
      negativeSlope: 0.01,
      upsampleMode: 'nontrainable',
      useConvFinal: true,
    });
    expect(job.trainer).toMatchObject({
      kind: 'segmentation',
      epochs: 1,
      learningRate: 1e-4,
      optimiser: { kind: 'adam', weightDecay: 1e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      loss: { kind: 'dice', sigmoid: true, squaredPred: true, smoothNr: 0, smoothDr: 1e-5, batch: false },
      proximalMu: 0,
      roi: [224, 224, 144],
      inferRoi: [240, 240, 160],
      transfer: 'weight-diff',
    });
    expect(job.data).toEqual({
      kind: 'brats18',
      baseDir: 'data',
      datalistDir: 'lists',
      cacheRate: 0,
      centralized: false,
    });
    expect(job.filters).toEqual([]);
  });

  it('puts the sparse-vector filter on the train results, with the seed values', () => {
    const { job } = new Brats18Recipe({ privacy: {} });
    expect(job.name).toBe('brats18_4_dp');
    expect(job.filters).toEqual([
      {
        at: 'site-out',
        tasks: ['train'],
        filter: { kind: 'svt', fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4, tau: 1e-6 },
      },
    ]);
  });

  it('is the centralised baseline with one client', () => {
    expect(new Brats18Recipe({ nClients: 1 }).job.data).toMatchObject({ centralized: true });
  });

  it.each([
    { nClients: 0 },
    { rounds: 0 },
    { learningRate: -1 },
    { cacheRate: 1.1 },
    { privacy: { fraction: 1.1 } },
    { privacy: { epsilon: 0 } },
    { roi: [0, 8, 8] as const },
  ])('refuses %j', (options) => {
    expect(() => new Brats18Recipe(options)).toThrow(ConfigError);
  });
});
