import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bratsLoss } from '../../test/support/segresnet-golden';
import { float32, floatsOf, type NamedTensors } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import { drawMask } from './layers/dropout';
import { initialise, segResNet } from './model';
import { openPredictor } from './predictor';
import { type Batch, newTrainingState, openTrainer, type TrainerOptions, type TrainingState } from './trainer';

const model = segResNet({ initFilters: 16, inChannels: 2, outChannels: 2, blocksDown: [1, 1], blocksUp: [1] });
const options: TrainerOptions = {
  model,
  loss: bratsLoss,
  optimiser: { kind: 'adam', weightDecay: 1e-5 },
  inputShape: [1, 2, 8, 16, 16],
  labelShape: [1, 2, 8, 16, 16],
  proximal: false,
  threads: 1,
};
const voxels = 2 * 8 * 16 * 16;
const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i));
const label = image.map((x) => Number(x > 0.3));
const batch: Batch = { image, label, learningRate: 1e-2, dropoutSeed: 1 };

const freshState = (): TrainingState => newTrainingState(options, initialise(model, 0));

async function train(steps: number, change: Partial<TrainerOptions> = {}, other: Partial<Batch> = {}) {
  const session = await openTrainer({ ...options, ...change });
  const state = freshState();
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await session.step(state, { ...batch, dropoutSeed: i, ...other })).loss);
  return { losses, state };
}

describe('a training session', () => {
  it('learns', async () => {
    const { losses, state } = await train(20);
    expect(losses[19]).toBeLessThan(0.8 * losses[0]!);
    expect(state.step).toBe(20);
  });

  it('gives the same bits again, and with 1, 2 and 4 threads', async () => {
    const first = await train(3);
    for (const threads of [1, 2, 4]) {
      const again = await train(3, { threads });
      expect(again.losses).toEqual(first.losses);
      for (const [name, { data }] of again.state.parameters) {
        expect(Buffer.from(data.buffer).equals(Buffer.from(first.state.parameters.get(name)!.data.buffer)), name).toBe(
          true,
        );
      }
    }
  });

  it('gives the same bits for the whole BraTS18 network, whose levels are small and large', async () => {
    const network = segResNet();
    const inputShape = [1, 4, 32, 16, 32];
    const big: TrainerOptions = { ...options, model: network, inputShape, labelShape: [1, 3, 32, 16, 32] };
    const pixels = 32 * 16 * 32;
    const wave = Float32Array.from({ length: 4 * pixels }, (_, i) => Math.sin(i));
    const results: string[] = [];
    for (const threads of [1, 2, 4]) {
      const session = await openTrainer({ ...big, threads });
      const state = newTrainingState(big, initialise(network, 0));
      const { loss } = await session.step(state, {
        ...batch,
        image: wave,
        label: wave.slice(0, 3 * pixels).map(Math.abs),
      });
      const hash = createHash('sha256');
      for (const { data } of [...state.parameters.values(), ...state.slots.get('m')!.values()])
        hash.update(data as Float32Array);
      results.push(`${loss} ${hash.digest('hex')}`);
    }
    expect(new Set(results).size).toBe(1);
  });

  it('draws other dropout masks for another seed', async () => {
    const a = await train(1, {}, { dropoutSeed: 1 });
    const b = await train(1, {}, { dropoutSeed: 2 });
    expect(a.losses).not.toEqual(b.losses);
  });

  it('never writes into the tensors that it was given', async () => {
    const session = await openTrainer(options);
    const weights = initialise(model, 0);
    const before = new Map([...weights].map(([name, { data }]) => [name, (data as Float32Array).slice()]));
    await session.step(newTrainingState(options, weights), batch);
    for (const [name, { data }] of weights) expect(data, name).toEqual(before.get(name));
  });

  it('adds the contrast term to the loss, and goes down its gradient', async () => {
    const weights = initialise(model, 0);
    const parameters = model.parameters.map(({ name }) => name).slice(0, 2);
    const [server, one, two] = [1, 2, 3].map((seed) => initialise(model, seed)) as [
      NamedTensors,
      NamedTensors,
      NamedTensors,
    ];
    const sgd = { optimiser: { kind: 'sgd' } } as const;
    const beta = 3;
    const plain = await train(1, sgd);
    const contrast = { beta, server, previous: [one, two] };
    const held = await train(1, { ...sgd, contrast: { parameters, previous: 2 } }, { contrast });
    // In float64, over the first two parameters.
    const at = (tensors: NamedTensors) => parameters.flatMap((name) => [...floatsOf(tensors.get(name)!)]);
    const [w, s, a, b] = [at(weights), at(server), at(one), at(two)];
    const distance = (other: number[]) => w.reduce((sum, x, i) => sum + Math.abs(x - other[i]!), 0);
    const [near, far] = [distance(s), distance(a) + distance(b)];
    expect(held.losses[0]! - plain.losses[0]!).toBeCloseTo((beta * near) / far, 5);
    const gradient = w.map((x, i) => {
      const away = Math.sign(x - a[i]!) + Math.sign(x - b[i]!);
      return beta * (Math.sign(x - s[i]!) / far - (near / far ** 2) * away);
    });
    const [before, after] = [at(plain.state.parameters), at(held.state.parameters)];
    for (const [i, g] of gradient.entries()) expect(after[i]! - before[i]!).toBeCloseTo(-1e-2 * g, 7);
    for (const { name } of model.parameters.slice(2)) {
      expect(held.state.parameters.get(name), name).toEqual(plain.state.parameters.get(name));
    }
    await expect(train(1, { ...sgd, contrast: { parameters, previous: 1 } }, { contrast })).rejects.toThrow(
      /opened with a contrast term of 1 models/,
    );
  });

  it('adds the proximal term to the loss and pulls towards the reference', async () => {
    const weights = initialise(model, 0);
    const reference = initialise(model, 7);
    let distance = 0;
    for (const [name, { data }] of weights) {
      const other = reference.get(name)!.data;
      for (let i = 0; i < data.length; i++) distance += (Number(data[i]) - Number(other[i])) ** 2;
    }
    const [plain, pulled] = [await train(1), await train(1, { proximal: true }, { proximal: { mu: 0.5, reference } })];
    const expected = Math.fround(plain.losses[0]!) + 0.25 * distance;
    // Dropout seeds are equal, so the data loss is.
    expect(Math.abs(pulled.losses[0]! / expected - 1)).toBeLessThan(1e-5);
    const still = await train(1, { proximal: true }, { proximal: { mu: 0.5, reference: weights } });
    expect(still.losses[0]).toBe(plain.losses[0]);
  });

  it('adds the correction to the gradient: SGD goes by minus the learning rate times it, and zeros change no bit', async () => {
    const sgd = { optimiser: { kind: 'sgd' } } as const;
    const weights = initialise(model, 0);
    const correctionOf = (value: number) =>
      new Map(
        [...weights].map(([name, { shape, data }]) => [
          name,
          float32(shape, new Float32Array(data.length).fill(value)),
        ]),
      );
    const with0 = { correction: correctionOf(0) };
    const [plain, zero] = [await train(2, sgd), await train(2, { ...sgd, correction: true }, with0)];
    expect([...zero.state.parameters]).toEqual([...plain.state.parameters]);
    expect(zero.losses).toEqual(plain.losses);
    const moved = await train(1, { ...sgd, correction: true }, { correction: correctionOf(3) });
    const one = await train(1, sgd);
    for (const [name, { data }] of moved.state.parameters) {
      const without = one.state.parameters.get(name)!.data;
      for (let i = 0; i < data.length; i++) expect(Number(without[i]) - Number(data[i])).toBeCloseTo(0.03, 6);
    }
  });

  it('throws on a loss that is not finite, says where that began, and leaves the state as it was', async () => {
    const session = await openTrainer(options);
    const state = freshState();
    await session.step(state, batch);
    const before = new Map(state.parameters);
    const broken = { ...batch, image: image.map((x, i) => (i === 5 ? Number.NaN : x)) };
    await expect(session.step(state, broken)).rejects.toThrow(
      /In step 2, 'loss' is NaN. The first tensor that is not finite: the input 'image' \[1,2,8,16,16\]/,
    );
    const name = 'down_layers.0.1.conv1.conv.weight';
    const weights = state.parameters.get(name)!;
    state.parameters.set(name, { ...weights, data: new Float32Array(weights.data.length).fill(3e38) });
    await expect(session.step(state, batch)).rejects.toThrow(
      /first tensor that is not finite: the result \[1,16,8,16,16\] of Conv with 'down_layers.0.1.conv1.conv.weight' in layer 'down_layers.0.1.conv1/,
    );
    state.parameters.set(name, weights);
    expect(state.step).toBe(1);
    expect([...state.parameters]).toEqual([...before]);
  });

  it('throws when the optimiser gives a parameter that is not finite, though the loss is', async () => {
    const steep: TrainerOptions = { ...options, optimiser: { kind: 'sgd', weightDecay: 1e12 } };
    const session = await openTrainer(steep);
    const state = newTrainingState(steep, initialise(model, 0));
    const before = new Map(state.parameters);
    await expect(session.step(state, { ...batch, learningRate: 1e30 })).rejects.toThrow(
      /In step 1, 'next\..*' has numbers that are not finite/,
    );
    expect([...state.parameters]).toEqual([...before]);
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])('needs a learning rate, not %s', async (learningRate) => {
    const [session, state] = [await openTrainer(options), freshState()];
    const before = new Map(state.parameters);
    await expect(session.step(state, { ...batch, learningRate } as Batch)).rejects.toMatchObject({
      tag: 'ConfigError',
      message: `The step updates the network and needs its learning rate, not ${learningRate}.`,
      hint: 'Give learningRate, a finite number.',
    });
    expect([...state.parameters]).toEqual([...before]);
  });

  it('tells metrics of its predictions, and is the same step with them', async () => {
    const metrics = { dice: { kind: 'dice-counts' }, mse: { kind: 'mse' }, empty: { kind: 'masked-mse' } } as const;
    const blank = new Float32Array(voxels);
    const plain = await train(2, {}, { label: blank });
    const session = await openTrainer({ ...options, metrics });
    const state = freshState();
    for (const i of [0, 1]) {
      const result = await session.step(state, { ...batch, label: blank, dropoutSeed: i });
      expect(result.loss).toBe(plain.losses[i]);
      const [both, predicted, actual] = result.metrics.get('dice')!;
      expect([both, actual]).toEqual([0, 0]);
      expect(predicted).toBeGreaterThan(0);
      expect(result.metrics.get('mse')![0]).toBeGreaterThan(0);
      // No voxel is above 0: not a number, which stops no step.
      expect(result.metrics.get('empty')).toEqual(Float32Array.of(Number.NaN));
    }
    expect(state.parameters).toEqual(plain.state.parameters);
    expect((await (await openTrainer(options)).step(freshState(), batch)).metrics.size).toBe(0);
    const name = 'conv_final.2.conv.weight';
    const weights = state.parameters.get(name)!;
    state.parameters.set(name, { ...weights, data: new Float32Array(weights.data.length).fill(3e38) });
    await expect(session.step(state, batch)).rejects.toThrow(/first tensor .* in layer '(?!metric)/);
  });

  it('refuses images, labels, states and proximal terms that do not fit, saying what was expected', async () => {
    await expect(openTrainer({ ...options, inputShape: [1, 2, 8, 16, 15] })).rejects.toThrow(/multiples of 2/);
    await expect(openTrainer({ ...options, labelShape: [1, 3, 8, 16, 16] })).rejects.toThrow(
      /needs a label of shape \[1,2,8,16,16\], but it is \[1,3,8,16,16\]/,
    );
    await expect(openTrainer({ ...options, optimiser: { kind: 'adam', beta1: 1 } })).rejects.toThrow(/beta1/);
    const session = await openTrainer(options);
    const state = freshState();
    await expect(session.step(state, { ...batch, image: new Float32Array(3) })).rejects.toThrow(/'image' needs 4096/);
    const proximal = { mu: 1, reference: state.parameters };
    await expect(session.step(state, { ...batch, proximal })).rejects.toThrow(/without a proximal term/);
    await expect(session.step(state, { ...batch, correction: new Map() })).rejects.toThrow(/without a correction/);
    const corrected = await openTrainer({ ...options, correction: true });
    await expect(corrected.step(state, { ...batch, correction: new Map() })).rejects.toThrow(
      /correction of 'down_layers.*' is missing|correction of '.*' is missing/,
    );
    state.parameters.delete('conv_final.0.bias');
    await expect(session.step(state, batch)).rejects.toThrow(/'conv_final.0.bias' is missing/);
  });
});

describe('a predictor', () => {
  it('gives the same bits with 1, 2 and 4 threads', async () => {
    const weights = initialise(model, 0);
    const predict = async (threads: number) =>
      (await openPredictor({ model, inputShape: options.inputShape, threads })).run(weights, image);
    const first = await predict(1);
    for (const threads of [2, 4]) expect(await predict(threads)).toEqual(first);
  });
});

describe('drawMask', () => {
  it('drops the share of channels that was asked for and scales the others up', () => {
    const mask = drawMask(new MersenneTwister(0), 100_000, 0.2);
    expect(new Set(mask)).toEqual(new Set([0, 1.25]));
    expect(mask.filter((x) => x === 0).length / mask.length).toBeCloseTo(0.2, 2);
  });
});
