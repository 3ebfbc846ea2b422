import { expect, test } from 'vitest';
import { matchTensors, requireTensors } from './match-tensors';
import { float32, type Tensor, tensor } from './tensor';

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
  expect([...requireTensors(expected, found, 'model.pt').tensors]).toEqual([
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
    mistyped: [],
    notes: [],
  });
  expect(() => requireTensors(expected, found, 'model.pt')).toThrow(
    'The tensors of model.pt are not those of the model (2 expected). 1 missing: conv.bias. 1 not expected: fc.bias. 1 of another shape: conv.weight is [1,2], not [2,1].',
  );
});

test('names the first five of a long list', () => {
  const found = new Map(Array.from({ length: 8 }, (_, i) => [`x${i}`, bias]));
  expect(() => requireTensors([], found, 'model.pt')).toThrow('8 not expected: x0, x1, x2, x3, x4, and 3 more.');
});

test('drops a prefix that the names of the file share, and says so', () => {
  const found = new Map([
    ['module.conv.weight', weight],
    ['module.conv.bias', bias],
    ['ema', bias],
  ]);
  const match = matchTensors(expected, found);
  expect([...match.tensors.keys()]).toEqual(['conv.weight', 'conv.bias']);
  expect(match.extra).toEqual(['ema']);
  expect(match.notes).toEqual(["The prefix 'module.' was dropped from the names."]);
});

test('takes a tensor under its other name, and counts that name as expected', () => {
  const aliases = new Map([['skip.bias', 'conv.bias']]);
  const found = new Map([
    ['conv.weight', weight],
    ['skip.bias', bias],
  ]);
  expect(matchTensors(expected, found, { aliases })).toMatchObject({ missing: [], extra: [] });
  expect(requireTensors(expected, found, 'model.pt', { aliases }).tensors.get('conv.bias')).toBe(bias);
  const both = new Map([...found, ['conv.bias', float32([2], [5, 6])]]);
  expect(matchTensors(expected, both, { aliases })).toMatchObject({ extra: [] });
  expect(matchTensors(expected, both, { aliases }).tensors.get('conv.bias')?.data[0]).toBe(5);
});

test('converts double to single precision and integers to 64 bits, and nothing else', () => {
  const steps = { name: 'steps', shape: [], dtype: 'int64' } as const;
  const found = new Map<string, Tensor>([
    ['conv.weight', tensor('float64', [2, 1], Float64Array.of(1, 2))],
    ['conv.bias', tensor('int32', [2], Int32Array.of(1, 2))],
    ['steps', tensor('int32', [], Int32Array.of(7))],
  ]);
  const match = matchTensors([...expected, steps], found);
  expect(match.tensors.get('conv.weight')).toEqual(weight);
  expect(match.tensors.get('steps')?.data[0]).toBe(7n);
  expect(match.mistyped).toEqual([{ name: 'conv.bias', expected: 'float32', found: 'int32' }]);
  expect(match.notes).toEqual(['2 converted: conv.weight from float64 to float32, steps from int32 to int64.']);
  expect(() => requireTensors(expected, found, 'model.pt')).toThrow(
    '1 of another type: conv.bias is int32, not float32.',
  );
});
