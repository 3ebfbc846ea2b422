import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { concat } from '../graph/functions';
import { float32, type NamedTensors, sizeOf, type Tensor, tensor } from '../tensor/tensor';
import { openJointTrainer } from './joint-trainer';
import { l1Loss, lsganLoss } from './losses/distance';
import { distillationLoss } from './losses/distillation';
import { createModel } from './model';
import type { Model } from './models/definition';
import { activation } from './modules/activation';
import { convolution } from './modules/convolution';
import { modelOf } from './modules/model-of';
import { chain } from './modules/module';
import { openPredictor } from './predictor';
import type { StepWriter } from './step-writer';
import { modelState, newTrainingState } from './training-state';

interface Golden {
  readonly steps: readonly { readonly d: number; readonly adversarial: number; readonly g: number }[];
  readonly g: Readonly<Record<string, readonly number[]>>;
  readonly d: Readonly<Record<string, readonly number[]>>;
}

const golden: Golden = JSON.parse(readFileSync(join(__dirname, '../../test/golden/gan.json'), 'utf8'));
const SHAPE = [2, 1, 6, 8];
const LAMBDA = 100;

const convolutions = (kind: string, ins: number, stride: number): Model =>
  modelOf(
    { kind, options: {}, spatialDims: 2, inChannels: ins, outChannels: 1, spatialDivisor: 1 },
    chain(
      convolution({ dims: 2, ins, outs: 4, kernel: 3, stride }),
      activation({ kind: 'relu' }),
      convolution({ dims: 2, ins: 4, outs: 1, kernel: 3 }),
    ),
  );

/** The weights and images of `test/golden/make/gan.py`. */
const sines = (length: number, seed: number, scale: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(seed + 1.7 * i));
const filled = (model: Model, seed: number): NamedTensors =>
  new Map(model.parameters.map(({ name, shape }, i) => [name, float32(shape, sines(sizeOf(shape), seed + i, 0.5))]));

const optimiser = { kind: 'adam', beta1: 0.5, beta2: 0.999 } as const;
const networks = {
  g: { model: convolutions('generator', 1, 1), optimiser },
  d: { model: convolutions('discriminator', 2, 2), optimiser },
};
const weights = { g: filled(networks.g.model, 10), d: filled(networks.d.model, 20) };

/** First the discriminator, then the generator against the updated discriminator. */
function writeGan(step: StepWriter): void {
  const { b } = step;
  const [x, y] = [step.input('x', SHAPE), step.input('y', SHAPE)];
  const fake = step.apply('g', { image: x });
  const judge = (image: typeof fake) => step.apply('d', { image: concat(b, [x, image]) });
  const lossD = b.scale(b.add(lsganLoss(b, judge(fake), 0), lsganLoss(b, judge(y), 1)), 0.5);
  step.update('d', lossD);
  const adversarial = lsganLoss(b, judge(fake), 1);
  const lossG = b.add(adversarial, b.scale(l1Loss(b, fake, y, { reduction: 'mean' }), LAMBDA));
  step.update('g', lossG);
  step.report('d', lossD);
  step.report('adversarial', adversarial);
  step.report('g', lossG);
}

const batch = {
  inputs: { x: sines(sizeOf(SHAPE), 1, 1), y: sines(sizeOf(SHAPE), 2, 1) },
  learningRates: { g: 2e-2, d: 1e-2 },
  dropoutSeed: 0,
};
const freshStates = () => ({ g: newTrainingState(networks.g, weights.g), d: newTrainingState(networks.d, weights.d) });

describe('a generator and a discriminator trained together', () => {
  it('take the steps that PyTorch takes', async () => {
    const session = await openJointTrainer({ networks, write: writeGan, threads: 1 });
    const states = freshStates();
    for (const expected of golden.steps) {
      const reported = await session.step(states, batch);
      for (const key of ['d', 'adversarial', 'g'] as const) {
        expect(Math.abs(reported[key]! / expected[key] - 1), key).toBeLessThan(1e-4);
      }
    }
    expect([states.g.step, states.d.step]).toEqual([3, 3]);
    for (const network of ['g', 'd'] as const) {
      for (const [name, values] of Object.entries(golden[network])) {
        const actual = states[network].parameters.get(name)!.data;
        for (const [i, value] of values.entries()) {
          expect(Math.abs(Number(actual[i]) - value), `${network} ${name}`).toBeLessThan(2e-4);
        }
      }
    }
  });

  it('may change partners: another discriminator with moments of its own', async () => {
    const session = await openJointTrainer({ networks, write: writeGan, threads: 1 });
    const { g, d } = freshStates();
    const other = newTrainingState(networks.d, filled(networks.d.model, 50));
    await session.step({ g, d }, batch);
    await session.step({ g, d: other }, batch);
    await session.step({ g, d }, batch);
    expect([g.step, d.step, other.step]).toEqual([3, 2, 1]);
  });

  it('needs the learning rate of every network that it updates', async () => {
    const session = await openJointTrainer({ networks, write: writeGan, threads: 1 });
    const states = freshStates();
    for (const d of [undefined, Number.NaN]) {
      const step = session.step(states, { ...batch, learningRates: { g: 1e-2, ...(d !== undefined && { d }) } });
      await expect(step).rejects.toMatchObject({
        tag: 'ConfigError',
        message: `The step updates 'd' and needs its learning rate, not ${d}.`,
      });
    }
    expect([states.g.step, states.d.step]).toEqual([0, 0]);
  });

  it('tells numbers that are observed, finite or not', async () => {
    const write = (step: StepWriter): void => {
      writeGan(step);
      const zero = step.b.scalar(0);
      step.observe('ratio', step.b.div(zero, zero));
    };
    const session = await openJointTrainer({ networks, write, threads: 1 });
    const states = freshStates();
    expect((await session.step(states, batch)).ratio).toBe(Number.NaN);
    expect(states.g.step).toBe(1);
    const many = (step: StepWriter): void => {
      writeGan(step);
      step.observe('pair', step.b.expand(step.b.scalar(0), [2]));
    };
    await expect(openJointTrainer({ networks, write: many, threads: 1 })).rejects.toThrow(/'pair' is of shape \[2\]/);
  });

  it('is refused when an input is missing, a network is updated twice or one has no optimiser', async () => {
    const session = await openJointTrainer({ networks, write: writeGan, threads: 1 });
    const missing = { ...batch, inputs: { x: batch.inputs.x } };
    await expect(session.step(freshStates(), missing as never)).rejects.toThrow(/input 'y' of shape \[2,1,6,8\]/);
    const twice = (step: StepWriter): void => {
      writeGan(step);
      step.update('g', lsganLoss(step.b, step.apply('g', { image: step.input('z', SHAPE) }), 1));
    };
    await expect(openJointTrainer({ networks, write: twice, threads: 1 })).rejects.toThrow(/updates network 'g' once/);
    const untrained = { ...networks, d: { model: networks.d.model } };
    await expect(openJointTrainer({ networks: untrained, write: writeGan, threads: 1 })).rejects.toThrow(
      /'d' has no optimiser/,
    );
  });

  it.each([
    ['segresnet', {}, [1, 4, 9, 8, 8], /^Network 'n' \('segresnet'\) takes .* multiples of 8\], not \[1,4,9,8,8\]/],
    ['pflsynth', {}, [1, 1, 18, 16], /^Network 'n' \('pflsynth'\) takes .* multiples of 4\], not \[1,1,18,16\]/],
    ['patchgan', { inChannels: 2 }, [1, 3, 32, 32], /^Network 'n' \('patchgan'\) takes images \[N, 2, /],
  ])('refuses an image that %s does not take, trained or used', async (kind, options, shape, message) => {
    for (const use of ['apply', 'infer'] as const) {
      const write = (step: StepWriter): void =>
        step.report('y', step.b.reduceSum(step[use]('n', { image: step.input('x', shape) })));
      const opening = openJointTrainer({
        networks: { n: { model: createModel({ kind, ...options }) } },
        write,
        threads: 1,
      });
      await expect(opening).rejects.toThrow(message);
    }
  });
});

/** x + shift, and the mean of x as a running statistic with momentum 0.5. */
const counting: Model = {
  kind: 'counting',
  options: {},
  spatialDims: 1,
  inChannels: 1,
  outChannels: 1,
  spatialDivisor: 1,
  parameters: [{ name: 'shift', shape: [1], initialiser: { kind: 'constant', value: 0 } }],
  buffers: [
    { name: 'running', shape: [1], dtype: 'float32', initial: 0 },
    { name: 'seen', shape: [], dtype: 'int64', initial: 0 },
  ],
  stateOrder: ['running', 'shift', 'seen'],
  draws: [],
  build({ b, image, parameters, buffers, training, setBuffer }) {
    const before = buffers.get('running')!;
    const mean = b.reshape(b.scale(b.reduceSum(image), 1 / sizeOf(image.shape)), [1]);
    if (training) setBuffer('running', b.scale(b.add(before, mean), 0.5));
    return b.add(b.sub(image, training ? mean : before), parameters.get('shift')!);
  },
};
const ones: NamedTensors = new Map<string, Tensor>([
  ['shift', float32([1], [0.25])],
  ['running', float32([1], [8])],
  ['seen', tensor('int64', [], BigInt64Array.of(5n))],
]);

describe('running statistics', () => {
  it('move once an application, in order, counted, and are read at inference', async () => {
    const training = { model: counting, optimiser: { kind: 'sgd' } } as const;
    const session = await openJointTrainer({
      networks: { n: training },
      threads: 1,
      write(step) {
        const [first, second] = ['a', 'b'].map((name) => step.apply('n', { image: step.input(name, [1, 1, 2]) }));
        step.update('n', lsganLoss(step.b, step.b.add(first!, second!), 0));
      },
    });
    const state = newTrainingState(training, ones);
    const inputs = { a: Float32Array.of(1, 3), b: Float32Array.of(10, 10) };
    await session.step({ n: state }, { inputs, learningRates: { n: 0 }, dropoutSeed: 0 });
    // (8 + 2)/2 = 5, then (5 + 10)/2.
    expect(state.buffers.get('running')!.data[0]).toBe(7.5);
    expect(state.buffers.get('seen')!.data).toEqual(BigInt64Array.of(7n));
    expect([...modelState(counting, state).keys()]).toEqual(['running', 'shift', 'seen']);
    const predictor = await openPredictor({ model: counting, inputShape: [1, 1, 2], threads: 1 });
    expect([...(await predictor.run(modelState(counting, state), Float32Array.of(10, 0)))]).toEqual([2.75, -7.25]);
  });

  it('of a teacher stay, and the teacher is not trained', async () => {
    const student = { model: counting, optimiser: { kind: 'sgd' } } as const;
    const session = await openJointTrainer({
      networks: { student, teacher: { model: counting } },
      threads: 1,
      write(step) {
        const image = step.input('image', [1, 1, 2]);
        const wide = (x: typeof image) => concat(step.b, [x, step.b.neg(x)]);
        const [from, to] = [step.infer('teacher', { image }), step.apply('student', { image })];
        const loss = distillationLoss(step.b, wide(to), wide(from), { temperature: 2 });
        step.report('loss', loss);
        step.update('student', loss);
      },
    });
    const states = { student: newTrainingState(student, ones), teacher: newTrainingState(student, ones) };
    const before = { ...states.teacher, parameters: new Map(states.teacher.parameters) };
    const image = Float32Array.of(1, 2);
    const { loss } = await session.step(states, { inputs: { image }, learningRates: { student: 1 }, dropoutSeed: 0 });
    expect(loss).toBeGreaterThan(0);
    expect(states.student.step).toBe(1);
    expect(states.teacher).toEqual(before);
    expect(states.student.parameters.get('shift')).not.toEqual(before.parameters.get('shift'));
  });
});
