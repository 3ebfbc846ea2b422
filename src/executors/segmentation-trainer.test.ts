import { describe, expect, it } from 'vitest';
import { parseJob } from '../jobs/job-spec';
import { lossSpec } from '../jobs/loss-spec';
import { isNetwork, type JobModelSpec, type NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec, TrainerSpec } from '../jobs/trainer-spec';
import { createModel, initialise } from '../nn/model';
import { joinControls, splitControls } from '../protocol/control-variates';
import { float32, floatsOf } from '../tensor/tensor';
import type { CaseSource, CaseStream, TrainingSample, ValidationCase } from './case-source';
import { withControlVariates } from './control-variates';
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

function trainerOf(options: Partial<SegmentationTrainerSpec> = {}, brokenRound = -1) {
  return segmentationTrainer({
    site: 'site-1',
    seed: 0,
    model: network(job.model),
    trainer: { ...segmentation(job.trainer), ...options },
    engine: { threads: 1, provider: 'cpu' },
    cases: casesBrokenIn(brokenRound),
    regions: ['WT'],
    scores: scoreCache(),
  });
}

const sgd = { kind: 'sgd', weightDecay: 0, momentum: 0, dampening: 0, nesterov: false } as const;
const model = initialise(createModel(job.model), 0);
const task = { kind: 'train', round: 0, model } as const;

describe('a segmentation trainer', () => {
  it('sends nothing of a step that is not finite: it names step and tensor', async () => {
    const trainer = trainerOf({}, 1);
    const { payload } = await trainer.execute(task, context);
    expect(payload.steps).toBe(3);
    await expect(trainer.execute({ ...task, round: 1 }, context)).rejects.toMatchObject({
      tag: 'NonFiniteError',
      message: expect.stringMatching(/^In step 6, 'loss' is NaN. .* the input 'image' \[1,1,8,8,8\]/),
      hint: expect.stringMatching(/learning rate/),
    });
  });

  it('under SCAFFOLD with zero control variates trains as without, to the bit, and sends their change beside', async () => {
    const plain = (await trainerOf({ optimiser: sgd }).execute(task, context)).payload;
    const zeros = new Map(
      [...model].map(([name, { shape, data }]) => [name, float32(shape, new Float32Array(data.length))]),
    );
    const scaffold = withControlVariates(trainerOf({ optimiser: sgd }));
    const { payload } = await scaffold.execute({ ...task, model: joinControls(model, zeros) }, context);
    const sent = splitControls(payload.tensors);
    expect(payload.kind).toBe('weight-control-diff');
    expect(payload.metrics).toEqual(plain.metrics);
    expect([...sent.model]).toEqual([...plain.tensors]);
    // c_i⁺ = −Δy / (K·η), with three steps of 0.01.
    for (const [name, { data }] of sent.controls) {
      expect(data, name).toEqual(
        Float32Array.from(floatsOf(plain.tensors.get(name)!), (change) => 0 - change / (0.01 + 0.01 + 0.01)),
      );
    }
  });

  it('takes the FedProx μ and the learning rate of the task before its own', async () => {
    const settings = { proximalMu: 2, learningRate: 0.02 };
    const asked = (await trainerOf().execute({ ...task, settings }, context)).payload;
    const own = (await trainerOf({ proximalMu: 2, learningRate: 0.02 }).execute(task, context)).payload;
    const without = (await trainerOf().execute(task, context)).payload;
    expect([...asked.tensors]).toEqual([...own.tensors]);
    expect([...asked.tensors]).not.toEqual([...without.tensors]);
  });

  it('does not score the received model when the task says so', async () => {
    const settings = { validate: false };
    const { payload } = await trainerOf().execute({ ...task, settings }, context);
    expect(Object.keys(payload.metrics)).toEqual(['train_loss']);
  });

  it.each<[string, Partial<SegmentationTrainerSpec>]>([
    ['another optimiser', { optimiser: { ...sgd, momentum: 0.9, nesterov: true } }],
    ['another loss', { loss: lossSpec.parse({ kind: 'dice-bce' }) as SegmentationTrainerSpec['loss'] }],
    ['clipped gradients', { gradientClip: { kind: 'norm', max: 1e-3 } }],
    ['a schedule', { schedule: { decay: { kind: 'linear', hold: 0, length: 4, final: 0 }, per: 'step' } }],
  ])('trains with %s', async (_, options) => {
    const [usual, other] = [trainerOf(), trainerOf(options)];
    const [first, second] = [await usual.execute(task, context), await other.execute(task, context)];
    expect([...second.payload.tensors]).not.toEqual([...first.payload.tensors]);
    if (options.schedule) expect(second.rateSum).toBeCloseTo(0.01 * (1 + 0.75 + 0.5), 12);
  });
});
