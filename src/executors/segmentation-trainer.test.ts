import { describe, expect, it } from 'vitest';
import { parseJob } from '../jobs/job-spec';
import { lossSpec } from '../jobs/loss-spec';
import { isNetwork, type JobModelSpec, type NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec, TrainerSpec } from '../jobs/trainer-spec';
import { createModel, initialise } from '../nn/model';
import { joinControls, splitControls } from '../protocol/control-variates';
import { float32, floatsOf, type NamedTensors } from '../tensor/tensor';
import type { CaseSource, CaseStream, TrainingSample, ValidationCase } from './case-source';
import { withControlVariates } from './control-variates';
import type { Executor, ExecutorContext } from './executor';
import { personalNames } from './personal-names';
import { withPersonalTensors } from './personal-tensors';
import { type ScoreCache, scoreCache } from './score-cache';
import { type SegmentationTrainerOptions, segmentationTrainer } from './segmentation-trainer';

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

/** Its first sample. */
function oneOf(stream: CaseStream<TrainingSample>): CaseStream<TrainingSample> {
  const first = async function* (): AsyncGenerator<TrainingSample> {
    for await (const one of stream) {
      yield one;
      return;
    }
  };
  return Object.assign(first(), { close() {} });
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

function trainerOf(
  options: Partial<SegmentationTrainerSpec> = {},
  brokenRound = -1,
  more: Partial<SegmentationTrainerOptions> = {},
) {
  return segmentationTrainer({
    site: 'site-1',
    seed: 0,
    model: network(job.model),
    trainer: { ...segmentation(job.trainer), ...options },
    engine: { threads: 1, provider: 'cpu' },
    cases: casesBrokenIn(brokenRound),
    regions: ['WT'],
    scores: scoreCache(),
    ...more,
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

  it('holds FedProx near the start of the round, and near the start of each epoch when the task says so', async () => {
    // Three epochs of one step each: each starts where its reference is, so the term is 0 in all of them.
    const cases = { ...casesBrokenIn(-1), lists: async () => ({ training: 1, validation: ['case'] }) };
    const trained = async (settings: object) => {
      const trainer = trainerOf({ optimiser: sgd, epochs: 3 }, -1, { cases });
      return [
        ...(await trainer.execute({ ...task, settings: { ...settings, validate: false } }, context)).payload.tensors,
      ];
    };
    const plain = await trained({});
    expect(await trained({ proximalMu: 5, proximalReference: 'epoch' })).toEqual(plain);
    expect(await trained({ proximalMu: 5, proximalReference: 'round' })).toEqual(await trained({ proximalMu: 5 }));
    expect(await trained({ proximalMu: 5 })).not.toEqual(plain);
  });

  it('holds near another model than the received one where it is given one (Ditto)', async () => {
    const cases = { ...casesBrokenIn(-1), lists: async () => ({ training: 1, validation: ['case'] }) };
    const first = { ...cases, training: () => oneOf(cases.training(0, 1)) };
    const reference = initialise(createModel(job.model), 1);
    const trained = async (mu: number) => {
      const trainer = trainerOf({ optimiser: sgd }, -1, { cases: first });
      const settings = { proximalMu: mu, validate: false };
      return (await trainer.execute({ ...task, settings }, { ...context, reference })).payload.tensors;
    };
    const [plain, held] = [await trained(0), await trained(2)];
    // One step of rate 0.01: −0.01·μ·(w − reference) more.
    for (const [name, { data }] of held) {
      const [w, near] = [floatsOf(model.get(name)!), floatsOf(reference.get(name)!)];
      floatsOf(plain.get(name)!).forEach((change, i) => {
        expect(data[i]).toBeCloseTo(change - 0.01 * 2 * (w[i]! - near[i]!), 5);
      });
    }
  });

  it('has FedMRI’s contrast term in every step but the first of an epoch', async () => {
    const one = { cases: { ...casesBrokenIn(-1), lists: async () => ({ training: 1, validation: ['case'] }) } };
    const server = new Map([...model].slice(0, 3));
    const contrast = { beta: 50, server, previous: [initialise(createModel(job.model), 1)] };
    const trained = async (given: Partial<ExecutorContext>, more: Partial<SegmentationTrainerOptions> = {}) => {
      const trainer = trainerOf({ optimiser: sgd, epochs: 'cases' in more ? 3 : 1 }, -1, more);
      const { payload } = await trainer.execute({ ...task, settings: { validate: false } }, { ...context, ...given });
      return [...payload.tensors];
    };
    // Three epochs of one step, and one of three.
    expect(await trained({ contrast }, one)).toEqual(await trained({}, one));
    expect(await trained({ contrast })).not.toEqual(await trained({}));
  });

  it('moves the numbers of its own first, then the shared ones, each as a step of the whole would (FedSelect)', async () => {
    const cases = { ...casesBrokenIn(-1), lists: async () => ({ training: 1, validation: ['case'] }) };
    const training = (_round: number, epochs: number) => {
      const all = Array.from({ length: epochs }, () => sample(false));
      return Object.assign(
        (async function* () {
          yield* all;
        })(),
        { close() {} },
      );
    };
    const still = { ...network(job.model), dropoutProb: 0 } as NetworkSpec; // Draws differ from pass to pass.
    const named = (at: (i: number) => number) =>
      new Map(
        [...model].map(([name, { shape, data }]) => {
          return [
            name,
            { dtype: 'uint8', shape, data: Uint8Array.from(data as Float32Array, (_, i) => at(i)) } as const,
          ];
        }),
      );
    const own = named((i) => Number(i % 3 === 1));
    const trained = async (
      start: NamedTensors,
      optimiser: SegmentationTrainerSpec['optimiser'],
      masks?: NamedTensors,
    ) => {
      const trainer = trainerOf({ optimiser }, -1, { cases: { ...cases, training }, model: still });
      const asked = { ...task, model: start, settings: { validate: false } };
      const { payload, trained } = await trainer.execute(asked, { ...context, ...(masks && { own: masks }) });
      return { steps: payload.steps, model: trained!, state: trainer.state()! };
    };
    const mix = (a: NamedTensors, b: NamedTensors) =>
      new Map(
        [...a].map(([name, tensor]) => {
          const [x, y] = [floatsOf(tensor), floatsOf(b.get(name)!)];
          return [
            name,
            float32(
              tensor.shape,
              Float32Array.from(x, (value, i) => (i % 3 === 1 ? value : y[i]!)),
            ),
          ] as const;
        }),
      );
    const once = await trained(model, sgd);
    const halfway = mix(once.model, model);
    const twice = await trained(halfway, sgd);
    const selected = await trained(model, sgd, own);
    expect(selected.steps).toBe(1);
    expect([...selected.model]).toEqual([...mix(halfway, twice.model)]);
    expect([
      ...(
        await trained(
          model,
          sgd,
          named(() => 0),
        )
      ).model,
    ]).toEqual([...once.model]);
    // Adam's account of its own numbers is that of the first step, which the second leaves alone.
    const adam = segmentation(job.trainer).optimiser;
    const [plain, kept] = [(await trained(model, adam)).state, (await trained(model, adam, own)).state];
    for (const [name, { data }] of model) {
      const [a, b] = [floatsOf(plain.get(`m.${name}`)!), floatsOf(kept.get(`m.${name}`)!)];
      const ofOwn = [...data.keys()].filter((i) => i % 3 === 1);
      expect(ofOwn.map((i) => b[i])).toEqual(ofOwn.map((i) => a[i]));
    }
  });

  it('scores the own model of each site, where sites share the scores of what they all received', async () => {
    const spec = { ...network(job.model), norm: 'batch' } as NetworkSpec;
    const received = initialise(createModel(spec), 0);
    const personalOf = () => personalNames('normalisation', spec, [...received.keys()]);
    const scores = scoreCache();
    const site = (name: string, shared: ScoreCache) => {
      const more = { site: name, model: spec, scores: shared };
      const trainer = trainerOf({ learningRate: 0.3 * name.length, optimiser: sgd }, -1, more);
      return withPersonalTensors(trainer, { personalOf, keep: async () => {} });
    };
    const together = [site('a', scores), site('bb', scores)];
    const alone = [site('a', scoreCache()), site('bb', scoreCache())];
    const results = async (sites: readonly Executor[]) => {
      const metrics: (number | null)[] = [];
      for (const one of sites) await one.execute({ kind: 'train', round: 0, model: received }, context);
      for (const one of [...sites, ...sites]) {
        const { payload } = await one.execute({ kind: 'validate', round: 1, model: received }, context);
        metrics.push(payload.metrics.val_dice!);
      }
      return metrics;
    };
    const shared = await results(together);
    expect(shared).toEqual(await results(alone));
    expect(shared[0]).not.toBe(shared[1]);
    expect(shared.slice(2)).toEqual(shared.slice(0, 2));
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
