import { describe, expect, it } from 'vitest';
import { parseJob } from '../jobs/job-spec';
import { isNetwork } from '../jobs/model-spec';
import { type TranslationTrainerSpec, translationTrainerSpec } from '../jobs/translation-trainer-spec';
import { createModel, initialise } from '../nn/model';
import { openPredictor } from '../nn/predictor';
import { openTrainer } from '../nn/trainer';
import { modelState, newTrainingState } from '../nn/training-state';
import type { Payload } from '../protocol/payload';
import { ownTensors } from '../tensor/shared-tensors';
import { float32, floatsOf, type NamedTensors } from '../tensor/tensor';
import type { CaseStream } from './case-source';
import type { ExecutorContext, Progress } from './executor';
import { sliceMetrics } from './slice-evaluation';
import type { SliceBatch, SliceCase, SliceSource } from './slice-source';
import { translationTrainer } from './translation-trainer';

const SIZE = 32;
const PIXELS = SIZE * SIZE;
const job = parseJob({
  version: 1,
  name: 'test',
  sites: ['site-1'],
  workflow: { kind: 'fed-avg', rounds: 5, minSites: 1, keyMetric: 'val_ssim' },
  model: { kind: 'translation-unet', baseChannels: 2 },
  trainer: { kind: 'translation', epochs: 2, batchSize: 3 },
  data: { kind: 'multi-contrast-phantom' },
});
if (!isNetwork(job.model)) throw new Error('a job that translates has a network');
const spec = job.model;
const network = createModel(spec);
const model = initialise(network, 0);

/** A disc, and the same with other intensities: what a contrast is to another. */
function slice(i: number): SliceCase {
  const inside = (k: number) => Math.hypot((k % SIZE) - 12 - (i % 5), Math.floor(k / SIZE) - 16) < 6 + (i % 3);
  const source = Float32Array.from({ length: PIXELS }, (_, k) => (inside(k) ? 0.9 : 0.3));
  const target = Float32Array.from({ length: PIXELS }, (_, k) => (inside(k) ? 0.2 : 0.8));
  const mask = Float32Array.from({ length: PIXELS }, (_, k) => Number(inside(k)));
  return { name: `slice-${i}`, shape: [1, SIZE, SIZE], source, target, mask };
}

function streamOf<T>(items: readonly T[]): CaseStream<T> {
  return Object.assign(
    (async function* () {
      yield* items;
    })(),
    { close() {} },
  );
}

function batchOf(slices: readonly SliceCase[]): SliceBatch {
  const joined = (key: 'source' | 'target') => Float32Array.from(slices.flatMap((one) => [...one[key]]));
  return { source: joined('source'), target: joined('target'), shape: [slices.length, 1, SIZE, SIZE] };
}

/** Seven training slices: batches of 3, 3 and 1, in another order each epoch; two validation slices and one test slice. */
const slices: SliceSource = {
  lists: async () => ({ train: 7, validation: ['a', 'b'], test: ['c'], shape: [1, SIZE, SIZE] }),
  training(round, epochs, batchSize) {
    const batches = Array.from({ length: epochs }, (_, epoch) => {
      const order = Array.from({ length: 7 }, (_, i) => slice((i * 3 + epoch + round) % 7));
      return [order.slice(0, batchSize), order.slice(batchSize, 2 * batchSize), order.slice(2 * batchSize)];
    });
    return streamOf(batches.flat().map(batchOf));
  },
  cases: (split) => streamOf((split === 'validation' ? [8, 9] : [10]).map(slice)),
};

const steps: Progress[] = [];
const context: ExecutorContext = {
  signal: new AbortController().signal,
  progress: (progress) => void steps.push(progress),
};

function trainerOf(options: Partial<TranslationTrainerSpec> = {}, source: SliceSource = slices) {
  const given = translationTrainerSpec.parse(job.trainer);
  const engine = { threads: 1, provider: 'cpu' };
  return translationTrainer({
    site: 'site-1',
    seed: 0,
    model: spec,
    trainer: { ...given, ...options },
    engine,
    slices: source,
  });
}

const task = { kind: 'train', round: 0, model } as const;
/** What a site sends is in memory that threads share, which a session does not take. */
const own = (payload: Payload): NamedTensors => ownTensors(payload.tensors);

describe('a translation trainer', () => {
  it('takes the steps that the network would take by hand, the smaller last batch of each epoch among them', async () => {
    const { payload, rateSum } = await trainerOf({ transfer: 'weights' }).execute(task, context);
    const trainer = translationTrainerSpec.parse(job.trainer);
    const state = newTrainingState({ model: network, optimiser: trainer.optimiser }, model);
    const sums = [0, 0];
    let index = 0;
    for await (const { source: image, target: label, shape } of slices.training(0, 2, 3)) {
      const session = await openTrainer({
        model: network,
        optimiser: trainer.optimiser,
        loss: trainer.loss,
        inputShape: shape,
        labelShape: shape,
        proximal: false,
        threads: 1,
      });
      const { loss } = await session.step(state, { image, label, learningRate: 1e-3, dropoutSeed: 0 });
      sums[Math.floor(index++ / 3)]! += loss * shape[0];
    }
    expect([...payload.tensors]).toEqual([...modelState(network, state)]);
    expect(payload.tensors.get('inc.norm1.num_batches_tracked')!.data).toEqual(BigInt64Array.of(6n));
    expect(payload.steps).toBe(6);
    expect(rateSum).toBeCloseTo(6e-3, 12);
    expect(payload.metrics.train_loss_epoch_0).toBeCloseTo(sums[0]! / 7, 12);
    expect(payload.metrics.train_loss_epoch_1).toBeCloseTo(sums[1]! / 7, 12);
    expect(payload.metrics.train_loss).toBeCloseTo((sums[0]! + sums[1]!) / 14, 12);
  });

  it('scores the received model, running statistics and all, on the validation slices, and on the test slices when asked', async () => {
    const predictor = await openPredictor({ model: network, inputShape: [1, 1, SIZE, SIZE], threads: 1 });
    const validated = (await trainerOf().execute({ ...task, kind: 'validate' }, context)).payload;
    expect(Object.keys(validated.metrics)).toEqual(
      ['loss', 'mse', 'masked_mse', 'relative_error', 'ssim', 'psnr', 'zoomed_ssim'].map((name) => `val_${name}`),
    );
    let mse = 0;
    for (const one of [8, 9].map(slice)) {
      const prediction = await predictor.run(model, one.source);
      mse += prediction.reduce((sum, value, i) => sum + (value - one.target[i]!) ** 2, 0) / PIXELS / 2;
    }
    expect(validated.metrics.val_mse).toBeCloseTo(mse, 9);
    const { metrics } = (await trainerOf({ testMetrics: true }).execute(task, context)).payload;
    expect(metrics).toMatchObject(validated.metrics);
    expect(metrics.test_mse).not.toBe(metrics.val_mse);
  });

  it('goes on from its saved state as if it had never stopped', async () => {
    const through = trainerOf();
    await through.execute(task, context);
    const saved = through.state();
    const straight = (await through.execute({ ...task, round: 1 }, context)).payload;
    const resumed = trainerOf();
    resumed.restore(saved);
    const again = (await resumed.execute({ ...task, round: 1 }, context)).payload;
    expect([...again.tensors]).toEqual([...straight.tensors]);
    const fresh = (await trainerOf().execute({ ...task, round: 1 }, context)).payload;
    expect([...fresh.tensors]).not.toEqual([...straight.tensors]);
  });

  it('learns: rounds of its own lower the validation loss and raise SSIM', async () => {
    const trainer = trainerOf({ learningRate: 1e-2, epochs: 4, validateEpochs: true, transfer: 'weights' });
    let current: NamedTensors = model;
    const seen = [];
    for (let round = 0; round < 6; round++) {
      const { payload } = await trainer.execute({ ...task, round, model: current }, context);
      seen.push(payload.metrics);
      current = own(payload);
    }
    expect(seen.at(-1)!.val_loss).toBeLessThan(seen[0]!.val_loss! / 2);
    expect(seen.at(-1)!.val_ssim).toBeGreaterThan(seen[0]!.val_ssim! + 0.2);
    expect(seen.at(-1)!.epoch_val_loss).toBeLessThan(seen[0]!.epoch_val_loss!);
  });

  it('validates after each epoch when asked, without a change of what it trains', async () => {
    const plain = (await trainerOf().execute(task, context)).payload;
    const one = own((await trainerOf({ epochs: 1, transfer: 'weights' }).execute(task, context)).payload);
    const { metrics, tensors } = (await trainerOf({ validateEpochs: true }).execute(task, context)).payload;
    expect([...tensors]).toEqual([...plain.tensors]);
    const scored = async (weights: NamedTensors) =>
      (await trainerOf().execute({ ...task, kind: 'validate', model: weights }, context)).payload.metrics.val_loss!;
    const trained = own((await trainerOf({ transfer: 'weights' }).execute(task, context)).payload);
    const losses = [await scored(one), await scored(trained)];
    expect(metrics.epoch_val_loss).toBeCloseTo((losses[0]! + losses[1]!) / 2, 12);
    expect(plain.metrics).not.toHaveProperty('epoch_val_loss');
  });

  it('pulls to the received weights under FedProx, or to those that each epoch starts with', async () => {
    const trained = async (options: Partial<TranslationTrainerSpec>, settings = {}) => [
      ...(await trainerOf(options).execute({ ...task, settings }, context)).payload.tensors,
    ];
    const [none, round] = [await trained({}), await trained({ proximalMu: 5 })];
    const epoch = await trained({}, { proximalMu: 5, proximalReference: 'epoch' });
    expect(round).not.toEqual(none);
    expect(epoch).not.toEqual(round);
    expect(await trained({}, { proximalMu: 5 })).toEqual(round);
    const first = { epochs: 1, proximalMu: 5 };
    expect(await trained(first, { proximalReference: 'epoch' })).toEqual(await trained(first));
  });

  it('does not score the received model when the task says so', async () => {
    const settings = { validate: false };
    const { payload } = await trainerOf({ epochs: 1 }).execute({ ...task, settings }, context);
    expect(Object.keys(payload.metrics)).toEqual(['train_loss']);
  });

  it('says that a site has no slices to train or to validate on', async () => {
    const empty = { ...slices, lists: async () => ({ ...(await slices.lists()), train: 0 }) };
    await expect(trainerOf({}, empty).execute(task, context)).rejects.toThrow(/site-1 has no training slice/);
    expect(() => sliceMetrics([], 'test')).toThrow(/no test slice/);
  });

  it('counts the steps of a round, and notices slices that do not come', async () => {
    steps.length = 0;
    await trainerOf().execute(task, context);
    expect(steps.filter(({ phase }) => phase === 'train').map(({ done, total }) => [done, total])).toEqual(
      [1, 2, 3, 4, 5, 6].map((done) => [done, 6]),
    );
    const short = { ...slices, cases: () => streamOf([slice(8)]) };
    await expect(trainerOf({}, short).execute(task, context)).rejects.toThrow(/2 validation slices, but only 1 came/);
  });

  it('refuses tasks that it does not know', async () => {
    await expect(trainerOf().execute({ ...task, kind: 'statistics' }, context)).rejects.toThrow(/train and validate/);
  });
});

describe('what an algorithm adds to the steps of a translation trainer', () => {
  const sgd = { kind: 'sgd', weightDecay: 0, momentum: 0, dampening: 0, nesterov: false } as const;
  const batchOfEpoch = (epoch: number) => batchOf([0, 1, 2].map((i) => slice(i + 3 * epoch)));
  /** One batch an epoch. */
  const short: SliceSource = {
    ...slices,
    lists: async () => ({ train: 3, validation: [], test: [], shape: [1, SIZE, SIZE] }),
    training: (_, epochs) => streamOf(Array.from({ length: epochs }, (_, epoch) => batchOfEpoch(epoch))),
  };
  const trained = async (epochs: number, given: Partial<ExecutorContext>, mu = 0) => {
    const trainer = trainerOf({ optimiser: sgd, epochs, transfer: 'weights', proximalMu: mu }, short);
    const asked = { ...task, settings: { validate: false } };
    const { payload } = await trainer.execute(asked, { ...context, ...given });
    return { steps: payload.steps, model: own(payload) };
  };
  const entries = (tensors: NamedTensors) => network.parameters.map(({ name }) => [name, tensors.get(name)!.data]);

  it('moves its own numbers by the first pass over the slices, and the shared ones by the second', async () => {
    const isOwn = (i: number) => i % 2 === 0;
    const masks: NamedTensors = new Map(
      network.parameters.map(({ name, shape }) => {
        const size = model.get(name)!.data.length;
        const data = Uint8Array.from({ length: size }, (_, i) => Number(isOwn(i)));
        return [name, { dtype: 'uint8', shape, data }];
      }),
    );
    const { loss } = translationTrainerSpec.parse(job.trainer);
    const shape = [3, 1, SIZE, SIZE];
    const options = { model: network, optimiser: sgd, loss, inputShape: shape, labelShape: shape, threads: 1 };
    const session = await openTrainer({ ...options, proximal: false });
    const state = newTrainingState(options, model);
    for (const pass of [0, 1]) {
      const before = new Map(state.parameters);
      const { source: image, target: label } = batchOfEpoch(pass);
      await session.step(state, { image, label, learningRate: 1e-3, dropoutSeed: 0 });
      for (const [name, after] of state.parameters) {
        const [to, from] = [floatsOf(after), floatsOf(before.get(name)!)];
        const data = Float32Array.from(to, (x, i) => (isOwn(i) === (pass === 0) ? x : from[i]!));
        state.parameters.set(name, float32(after.shape, data));
      }
    }
    const result = await trained(1, { own: masks });
    expect(result.steps).toBe(1);
    expect(entries(result.model)).toEqual(entries(modelState(network, state)));
  });

  it('holds near another model where it is given one', async () => {
    const reference = initialise(network, 1);
    const [plain, held] = [await trained(1, { reference }), await trained(1, { reference }, 2)];
    for (const { name } of network.parameters) {
      const [w, near] = [floatsOf(model.get(name)!), floatsOf(reference.get(name)!)];
      const after = floatsOf(held.model.get(name)!);
      floatsOf(plain.model.get(name)!).forEach((x, i) => {
        expect(after[i]).toBeCloseTo(x - 1e-3 * 2 * (w[i]! - near[i]!), 5);
      });
    }
  });

  it('has the contrast term in every step but the first of an epoch', async () => {
    const server = new Map(network.parameters.slice(0, 4).map(({ name }) => [name, model.get(name)!]));
    const contrast = { beta: 50, server, previous: [initialise(network, 1)] };
    expect(entries((await trained(2, { contrast })).model)).toEqual(entries((await trained(2, {})).model));
    const long = async (given: Partial<ExecutorContext>) => {
      const trainer = trainerOf({ optimiser: sgd, epochs: 1 });
      const asked = { ...task, settings: { validate: false } };
      return entries(own((await trainer.execute(asked, { ...context, ...given })).payload));
    };
    expect(await long({ contrast })).not.toEqual(await long({}));
  });
});
