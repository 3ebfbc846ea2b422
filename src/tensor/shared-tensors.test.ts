import { expect, it } from 'vitest';
import { ownTensors, shareTensors } from './shared-tensors';
import { float32, type NamedTensors, tensor } from './tensor';

const tensors: NamedTensors = new Map<string, ReturnType<typeof float32> | ReturnType<typeof tensor>>([
  ['odd', tensor('uint8', [3], Uint8Array.of(1, 2, 3))],
  ['wide', tensor('float64', [2], Float64Array.of(Math.PI, -1))],
  ['w', float32([2, 1], [1.5, Number.NaN])],
  ['empty', float32([0], [])],
]);

it('shared tensors have the same names, shapes and numbers, in one shared memory', () => {
  const shared = shareTensors(tensors);
  expect([...shared]).toEqual([...tensors]);
  const memories = new Set([...shared.values()].map(({ data }) => data.buffer));
  expect(memories.size).toBe(1);
  expect([...memories][0]).toBeInstanceOf(SharedArrayBuffer);
});

it('own tensors no longer see what happens to the shared ones', () => {
  const shared = shareTensors(tensors);
  const own = ownTensors(shared);
  (shared.get('w')!.data as Float32Array)[0] = 99;
  expect([...own]).toEqual([...tensors]);
});
