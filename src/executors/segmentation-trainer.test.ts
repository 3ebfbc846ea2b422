import { describe, expect, it } from 'vitest';
import { parseJob } from '../jobs/job-spec';
import { isNetwork, type JobModelSpec, type NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec, TrainerSpec } from '../jobs/trainer-spec';
import { createModel, initialise } from '../nn/model';
import type { CaseSource, CaseStream, TrainingSample, ValidationCase } from './case-source';
import type { ExecutorContext } from './executor';
import { scoreCache } from './score-cache';
import { segmentationTrainer } from './segmentation-trainer';

const job = parseJob({
  version: 1,
  name: 'test',
  sites: ['site-1'],
  workflow: { kind: 'fed-avg', rounds: 5, minSites: 1 },
  model: { kind: 'segresnet', initFilters: 8, inChannels: 1, outChannels: 1, blocksDown: [1, 1], blocksUp: [1] },
  trainer: { kind: 'segmentation', roi: [8, 8, 8], inferRoi: [8, 8, 8], learningRate: 0.01 },
  data: { kind: 'brats18-phantom' },
});
const VOXELS = 512;
const label = Float32Array.from({ length: VOXELS }, (_, i) => Number(i % 3 === 0));
const sample = (broken: boolean): TrainingSample => ({
  image: Float32Array.from({ length: VOXELS }, (_, i) => (broken && i === 7 ? Number.NaN : Math.sin(i))),
  label,
});

/** One case to validate on, and training samples of which those of `brokenRound` have a hole at the third. */
function casesBrokenIn(brokenRound: number): CaseSource {
  const closing = <T>(items: readonly T[]): CaseStream<T> =>
    Object.assign(
      (async function* () {
        yield* items;
      })(),
      { close() {} },
    );
  const validation: ValidationCase = { name: 'case', shape: [1, 8, 8, 8], ...sample(false) };
  return {
    lists: async () => ({ training: 3, validation: ['case'] }),
    training: (round) => closing([false, false, round === brokenRound].map(sample)),
    validation: (missing) => closing(missing.map(() => validation)),
  };
}

function network(model: JobModelSpec): NetworkSpec {
  if (!isNetwork(model)) throw new Error('a job that segments has a network');
  return model;
}

function segmentation(trainer: TrainerSpec): SegmentationTrainerSpec {
  if (trainer.kind !== 'segmentation') throw new Error('the job segments');
  return trainer;
}

const context: ExecutorContext = { signal: new AbortController().signal, progress() {} };

describe('a segmentation trainer', () => {
  it('sends nothing of a step that is not finite: it names step and tensor', async () => {
    const trainer = segmentationTrainer({
      site: 'site-1',
      seed: 0,
      model: network(job.model),
      trainer: segmentation(job.trainer),
      engine: { threads: 1, provider: 'cpu' },
      cases: casesBrokenIn(1),
      regions: ['WT'],
      scores: scoreCache(),
    });
    const model = initialise(createModel(job.model), 0);
    const task = { kind: 'train', round: 0, model } as const;
    const { payload } = await trainer.execute(task, context);
    expect(payload.steps).toBe(3);
    await expect(trainer.execute({ ...task, round: 1 }, context)).rejects.toMatchObject({
      tag: 'NonFiniteError',
      message: expect.stringMatching(/^In step 6, 'loss' is NaN. .* the input 'image' \[1,1,8,8,8\]/),
      hint: expect.stringMatching(/learning rate/),
    });
  });
});
