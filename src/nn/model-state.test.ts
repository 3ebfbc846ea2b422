import { describe, expect, it } from 'vitest';
import { float32, type Tensor } from '../tensor/tensor';
import type { Model } from './model';
import { matchState, requireState, stateTensors, withAliases } from './model-state';

const start = { kind: 'constant', value: 0 } as const;
const model: Model = {
  kind: 'tiny',
  options: {},
  spatialDims: 1,
  inChannels: 1,
  outChannels: 1,
  spatialDivisor: 1,
  parameters: [
    { name: 'norm.weight', shape: [2], initialiser: start },
    { name: 'act.weight', shape: [1], initialiser: start },
  ],
  buffers: [
    { name: 'norm.running_mean', shape: [2], dtype: 'float32', initial: 0 },
    { name: 'norm.num_batches_tracked', shape: [], dtype: 'int64', initial: 0 },
  ],
  stateOrder: ['norm.weight', 'norm.running_mean', 'norm.num_batches_tracked', 'act.weight'],
  aliases: new Map([['head.1.weight', 'act.weight']]),
  draws: [],
  build: ({ image }) => image,
};

const file = new Map<string, Tensor>([
  ['module.norm.weight', float32([2], [1, 2])],
  ['module.norm.running_mean', { dtype: 'float64', shape: [2], data: Float64Array.of(3, 4) }],
  ['module.norm.num_batches_tracked', { dtype: 'int64', shape: [], data: BigInt64Array.of(5n) }],
  ['module.act.weight', float32([1], [6])],
  ['module.head.1.weight', float32([1], [6])],
]);

describe('the state of a model', () => {
  it('is its parameters and buffers in the order of the original', () => {
    expect(stateTensors(model).map(({ name }) => name)).toEqual(model.stateOrder);
  });

  it('is found in a file of a parallel model in double precision that lists a tensor twice', () => {
    const { tensors, notes } = requireState(model, file, 'model.pt');
    expect([...tensors.keys()]).toEqual(model.stateOrder);
    expect(tensors.get('norm.running_mean')).toEqual(float32([2], [3, 4]));
    expect(notes.join(' ')).toMatch(/prefix 'module\.' was dropped.*norm.running_mean from float64 to float32/);
  });

  it('is reported as missing, extra and of another shape', () => {
    const found = new Map([...file].filter(([name]) => !name.endsWith('running_mean')));
    found.set('module.norm.weight', float32([3], [1, 2, 3]));
    found.set('module.bias', float32([1], [1]));
    expect(matchState(model, found)).toMatchObject({
      missing: ['norm.running_mean'],
      extra: ['bias'],
      misshaped: [{ name: 'norm.weight', expected: [2], found: [3] }],
    });
  });

  it('is written as the original lists it, with the second name of a tensor', () => {
    const { tensors } = requireState(model, file, 'model.pt');
    expect(withAliases(model, tensors).get('head.1.weight')).toBe(tensors.get('act.weight'));
  });
});
