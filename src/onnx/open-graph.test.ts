import { expect, it } from 'vitest';
import { Builder } from '../graph/builder';
import { isOutOfMemory, openGraph } from './open-graph';

it('says what was needed and which flags lower it when memory runs out', async () => {
  const b = new Builder();
  b.output('y', b.reduceSum(b.expand(b.input('x', [1]), [2 ** 21, 2 ** 21])));
  const session = await openGraph(b.build(), { threads: 1 });
  const running = session.run(new Map([['x', { shape: [1], data: Float32Array.of(1) }]]));
  await expect(running).rejects.toMatchObject({
    tag: 'EngineError',
    message: expect.stringMatching(
      /^There is not enough memory for a run whose process needs about 16\.0 TiB or up to half more\. The runtime failed/,
    ),
    hint: expect.stringMatching(/--roi_size.*--threads/),
  });
});

it('knows the words of the runtime, of C++, of WebGPU and of Node for memory that ran out', () => {
  const thrown = (): unknown => {
    try {
      return new ArrayBuffer(2 ** 50);
    } catch (error) {
      return error;
    }
  };
  expect(isOutOfMemory(thrown())).toBe(true);
  for (const message of [
    'Failed to allocate memory for requested buffer of size 4',
    'std::bad_alloc',
    'Out of memory',
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.',
    'WebGPU validation failed. Buffer size (4294967296) exceeds the max buffer size limit (1073741824).',
    'numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage buffers in shader.',
  ]) {
    expect(isOutOfMemory(new Error(message)), message).toBe(true);
  }
  expect(isOutOfMemory(new RangeError('Invalid typed array length: 3'))).toBe(false);
});
