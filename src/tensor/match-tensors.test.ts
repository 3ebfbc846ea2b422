import { expect, test } from 'vitest';
import { matchTensors, requireTensors } from './match-tensors';
import { float32 } from './tensor';

const expected = [
  { name: 'conv.weight', shape: [2, 1] },
  { name: 'conv.bias', shape: [2] },
];
const weight = float32([2, 1], [1, 2]);
const bias = float32([2], [3, 4]);

test('gives the tensors in the order of the model', () => {
  const found = new Map([
    ['conv.bias', bias],
    ['conv.weight', weight],
  ]);
  expect([...requireTensors(expected, found, 'model.pt')]).toEqual([
    ['conv.weight', weight],
    ['conv.bias', bias],
  ]);
});

test('lists what is missing, extra and of another shape', () => {
  const found = new Map([
    ['conv.weight', float32([1, 2], [1, 2])],
    ['fc.bias', bias],
  ]);
  expect(matchTensors(expected, found)).toEqual({
    tensors: new Map(),
    missing: ['conv.bias'],
    extra: ['fc.bias'],
    misshaped: [{ name: 'conv.weight', expected: [2, 1], found: [1, 2] }],
    strayPrefix: undefined,
  });
  expect(() => requireTensors(expected, found, 'model.pt')).toThrow(
    'The tensors of model.pt are not those of the model (2 expected). 1 missing: conv.bias. 1 not expected: fc.bias. 1 of another shape: conv.weight is [1,2], not [2,1].',
  );
});

test('names the first five of a long list', () => {
  const found = new Map(Array.from({ length: 8 }, (_, i) => [`x${i}`, bias]));
  expect(() => requireTensors([], found, 'model.pt')).toThrow('8 not expected: x0, x1, x2, x3, x4, and 3 more.');
});

test('points out a prefix that all names share', () => {
  const found = new Map([
    ['module.conv.weight', weight],
    ['module.conv.bias', bias],
  ]);
  expect(matchTensors(expected, found).strayPrefix).toBe('module.');
  expect(() => requireTensors(expected, found, 'model.pt')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("begin with 'module.'") }),
  );
});
