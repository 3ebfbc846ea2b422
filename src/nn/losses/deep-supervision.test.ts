import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fills, ofClasses } from '../../../test/support/loss-inputs';
import { statsError } from '../../../test/support/segresnet-golden';
import { Builder } from '../../graph/builder';
import { differentiate } from '../../graph/differentiate';
import { stack } from '../../graph/functions';
import { interpret } from '../../graph/interpret';
import type { Shape } from '../../tensor/tensor';
import { initialise } from '../initialise';
import { dynUNet } from '../models/dynunet';
import { openPredictor } from '../predictor';
import { newTrainingState, openTrainer, type TrainerOptions } from '../trainer';
import { deepSupervisionLoss } from './deep-supervision';
import type { LossOptions } from './loss';

interface DeepCase {
  readonly shape: Shape;
  readonly prediction: keyof typeof fills;
  readonly label: keyof typeof fills;
  readonly options: LossOptions;
  readonly weights?: readonly number[];
  readonly loss: number;
  readonly gradient: { readonly sum: number; readonly l2: number; readonly first8: readonly number[] };
}

const { deep: cases } = JSON.parse(readFileSync(join(__dirname, '../../../test/golden/losses.json'), 'utf8')) as {
  readonly deep: readonly DeepCase[];
};

describe('the loss of several heads', () => {
  it.each(cases.map((example) => ({ title: JSON.stringify(example.options), example })))(
    'is that of PyTorch, with its gradient: $title',
    ({ example }) => {
      const { shape, prediction, label, options, weights, loss, gradient } = example;
      const of = [shape[0]!, ...shape.slice(2)];
      const b = new Builder();
      const x = b.input('x', shape);
      const y = b.input('y', label === 'classes' ? ofClasses(of) : of);
      const found = deepSupervisionLoss(b, x, y, options, weights);
      b.output('loss', found);
      b.output('dx', differentiate(b, found, [x])[0]!);
      const feeds = new Map([
        ['x', fills[prediction](shape)],
        ['y', fills[label](of)],
      ]);
      const results = interpret(b.build(), feeds);
      expect(results.get('loss')![0]).toBeCloseTo(loss, 12);
      expect(statsError(results.get('dx')!, gradient)).toBeLessThan(1e-10);
    },
  );

  it('takes heads that were stacked apart without a copy', () => {
    const b = new Builder();
    const heads = ['x0', 'x1'].map((name) => b.input(name, [1, 2, 4]));
    const loss = deepSupervisionLoss(b, stack(b, heads), b.input('y', [1, 2, 4]), { kind: 'mse' });
    b.output('loss', loss);
    for (const [i, gradient] of differentiate(b, loss, heads).entries()) b.output(`d${i}`, gradient);
    expect(b.build().nodes.some(({ op }) => op === 'Concat' || op.startsWith('Slice'))).toBe(false);
  });

  it('says how many weights it needs', () => {
    const b = new Builder();
    const [x, y] = [b.input('x', [1, 3, 2, 4]), b.input('y', [1, 2, 4])];
    expect(() => deepSupervisionLoss(b, x, y, { kind: 'mse' }, [1, 0.5])).toThrow(/3 heads needs 3 weights/);
    expect(() => deepSupervisionLoss(b, x, y, { kind: 'mse' }, [1, 0.5, -1])).toThrow(/not negative/);
  });
});

describe('a network with deep supervision', () => {
  const levels = { kernelSize: [3, 3, 3], strides: [1, 2, 2], upsampleKernelSize: [2, 2], filters: [4, 6, 8] };
  const model = dynUNet({ spatialDims: 2, inChannels: 1, outChannels: 2, ...levels, deepSupervision: true });
  const options: TrainerOptions = {
    model,
    loss: { kind: 'dice-ce', dice: { softmax: true, toOnehotY: true } },
    optimiser: { kind: 'adam' },
    inputShape: [2, 1, 16, 16],
    labelShape: [2, 1, 16, 16],
    proximal: false,
    threads: 1,
  };
  const image = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i / 5));
  const batch = { image, label: image.map((x) => Number(x > 0.3)), learningRate: 1e-2, dropoutSeed: 0 };

  async function train(steps: number, threads: number) {
    const session = await openTrainer({ ...options, threads });
    const state = newTrainingState(options, initialise(model, 3));
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) losses.push((await session.step(state, batch)).loss);
    return { losses, state };
  }

  it('learns with all its heads, and then gives the best result alone', async () => {
    const { losses, state } = await train(15, 1);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
    const name = 'deep_supervision_heads.0.conv.conv.weight';
    expect(state.parameters.get(name)!.data).not.toEqual(initialise(model, 3).get(name)!.data);
    const predictor = await openPredictor({ model, inputShape: options.inputShape, threads: 1 });
    expect(await predictor.run(state.parameters, image)).toHaveLength(2 * 2 * 16 * 16);
  });

  it('is measured by its best result', async () => {
    const comparison = {
      loss: { kind: 'mse' },
      labelShape: [2, 2, 16, 16],
      metrics: { error: { kind: 'mse' } },
    } as const;
    const session = await openTrainer({ ...options, ...comparison });
    const initial = initialise(model, 3);
    const label = Float32Array.from({ length: 1024 }, (_, i) => Math.cos(i));
    const { metrics } = await session.step(newTrainingState(options, initial), { ...batch, label });
    const predictor = await openPredictor({ model, inputShape: options.inputShape, threads: 1 });
    const squares = (await predictor.run(initial, image)).map((x, i) => (x - label[i]!) ** 2);
    for (const [i, found] of metrics.get('error')!.entries()) {
      const mean = squares.subarray(512 * i, 512 * (i + 1)).reduce((sum, x) => sum + x, 0) / 512;
      expect(found).toBeCloseTo(mean, 5);
    }
  });

  it('gives the same bits with 1, 2 and 3 threads', async () => {
    const { losses } = await train(3, 1);
    for (const threads of [2, 3]) expect((await train(3, threads)).losses).toEqual(losses);
  });
});
