import { describe, expect, it } from 'vitest';
import type { Task } from '../protocol/messages';
import { float32, mapFloats, type NamedTensors, tensor } from '../tensor/tensor';
import type { ExecutorContext } from './executor';
import { type Trainer, trainerExecutor } from './trainer';

const context: ExecutorContext = { signal: new AbortController().signal, progress: () => {} };
const model: NamedTensors = new Map([['w', float32([2], [1, 2])]]);
const task = (kind: string): Task => ({ kind, round: 0, model });

const plusOne: Trainer = {
  train: async (given) => ({ weights: mapFloats(given.model, (x) => x + 1), metrics: { loss: 0.5 }, steps: 3 }),
  validate: async () => ({ score: 0.25 }),
};

async function payloadOf(trainer: Trainer, kind = 'train', transfer: 'weights' | 'weight-diff' = 'weight-diff') {
  const { payload } = await trainerExecutor(trainer, transfer).execute(task(kind), context);
  return { ...payload, tensors: [...payload.tensors].map(([name, { data }]) => [name, [...data]]) };
}

describe('a trainer', () => {
  it('answers with the difference to what it received, its metrics and its steps', async () => {
    const metrics = { score: 0.25, loss: 0.5 };
    expect(await payloadOf(plusOne)).toEqual({ kind: 'weight-diff', tensors: [['w', [1, 1]]], metrics, steps: 3 });
    expect(await payloadOf(plusOne, 'train', 'weights')).toMatchObject({ kind: 'weights', tensors: [['w', [2, 3]]] });
  });

  it('may change the received model in place; the difference is to what was sent', async () => {
    const inPlace: Trainer = {
      async train(given) {
        for (const { data } of given.model.values()) (data as Float32Array).fill(9);
        return { weights: given.model, steps: 1 };
      },
    };
    expect((await payloadOf(inPlace)).tensors).toEqual([['w', [8, 7]]]);
    expect([...model.get('w')!.data]).toEqual([1, 2]);
  });

  it('answers a validate task with metrics only, and with none when it validates nothing', async () => {
    expect(await payloadOf(plusOne, 'validate')).toEqual({
      kind: 'metrics',
      tensors: [],
      metrics: { score: 0.25 },
      steps: 0,
    });
    const { train } = plusOne;
    expect((await payloadOf({ train }, 'validate')).metrics).toEqual({});
  });

  it('counts integers in a difference too', async () => {
    const counters = new Map([['n', tensor('int64', [1], BigInt64Array.of(5n))]]);
    const train: Trainer['train'] = async () => ({
      weights: new Map([['n', tensor('int64', [1], BigInt64Array.of(7n))]]),
      steps: 1,
    });
    const { payload } = await trainerExecutor({ train }, 'weight-diff').execute(
      { kind: 'train', round: 0, model: counters },
      context,
    );
    expect(payload.tensors.get('n')!.data).toEqual(BigInt64Array.of(2n));
  });

  it.each([
    ['a tensor less', new Map(), "'w' is missing"],
    ['a tensor more', new Map([...model, ['v', float32([1], [0])]]), "'v' was not in the received model"],
    ['another shape', new Map([['w', float32([1, 2], [1, 2])]]), "'w' as float32 [1,2], but float32 [2] was sent"],
    ['NaN', new Map([['w', float32([2], [1, Number.NaN])]]), "NaN in 'w' (element 1)"],
    ['no tensors', [1, 2], 'a Map from names to tensors, but an array came'],
  ])('that answers with %s is told so', async (_, weights, message) => {
    const train = async () => ({ weights: weights as NamedTensors, steps: 1 });
    await expect(payloadOf({ train })).rejects.toThrow(message);
  });

  it.each([0, -1, 1.5, Number.NaN, undefined])('that took %s steps is told so', async (steps) => {
    const train = async () => ({ weights: model, steps: steps as number });
    await expect(payloadOf({ train })).rejects.toThrow('whole number of at least 1');
  });

  it('whose score is no number is told so', async () => {
    const validate = async () => ({ score: Number.NaN });
    await expect(payloadOf({ ...plusOne, validate })).rejects.toThrow("Metric 'score' is NaN");
  });

  it('given a task of another kind says what it knows, and how to know more', async () => {
    await expect(payloadOf(plusOne, 'predict')).rejects.toMatchObject({
      message: "This trainer knows the tasks train and validate, but was given 'predict'.",
      hint: expect.stringContaining('executor'),
    });
  });
});
