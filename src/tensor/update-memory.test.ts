import { expect, test } from 'vitest';
import { float32, type NamedTensors, tensor } from './tensor';
import { leaveMemory, sendableTensors, takeBack, updateTensors } from './update-memory';

const model: NamedTensors = new Map<string, ReturnType<typeof float32> | ReturnType<typeof tensor>>([
  ['odd', float32([3], [1, 2, 3])],
  ['wide', tensor('float64', [2], Float64Array.of(Math.PI, -1))],
  ['count', tensor('int64', [], BigInt64Array.of(7n))],
]);

test('a copy that can be sent has the same names, shapes and numbers, in one shared memory', () => {
  const sent = sendableTensors(model);
  expect([...sent]).toEqual([...model]);
  const memories = new Set([...sent.values()].map(({ data }) => data.buffer));
  expect(memories.size).toBe(1);
  expect([...memories][0]).toBeInstanceOf(SharedArrayBuffer);
  expect(sendableTensors(sent)).toBe(sent);
});

test('shared memory of other makers is copied, because they may go on using it', () => {
  const foreign = new Map([['w', { ...float32([1], [5]), data: new Float32Array(new SharedArrayBuffer(4)) }]]);
  expect(sendableTensors(foreign).get('w')!.data.buffer).not.toBe(foreign.get('w')!.data.buffer);
});

test('memory that was given back is used again for a model of the same size, and for no other', () => {
  const memory = updateTensors(model).get('odd')!.data.buffer as SharedArrayBuffer;
  takeBack(memory);
  expect(updateTensors(new Map([['w', float32([1], [1])]])).get('w')!.data.buffer).not.toBe(memory);
  expect(updateTensors(model).get('odd')!.data.buffer).toBe(memory);
  expect(updateTensors(model).get('odd')!.data.buffer).not.toBe(memory);
});

test('memory of an update that was put together from several is free once the whole is copied', () => {
  const part = updateTensors(new Map([['a', float32([9], new Float32Array(9))]]));
  sendableTensors(new Map([...part, ...model]));
  const again = updateTensors(new Map([['b', float32([9], new Float32Array(9))]]));
  expect(again.get('b')!.data.buffer).toBe(part.get('a')!.data.buffer);
});

test('memory that was left to somebody is copied before it is sent', () => {
  const tensors = updateTensors(model);
  leaveMemory(tensors);
  expect(sendableTensors(tensors).get('odd')!.data.buffer).not.toBe(tensors.get('odd')!.data.buffer);
});

test('a model without tensors needs none', () => {
  expect(sendableTensors(new Map())).toEqual(new Map());
});
