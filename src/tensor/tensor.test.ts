import { expect, test } from 'vitest';
import { viewAs } from './tensor';

test('views aligned bytes without a copy and copies others, also those of a Buffer', () => {
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  expect(viewAs('float32', bytes).buffer).toBe(bytes.buffer);
  const shifted = Buffer.concat([Buffer.alloc(1), bytes]).subarray(1);
  expect([...viewAs('float32', shifted)]).toEqual([1, 2]);
});
