import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { Builder } from '../graph/builder';
import { toOnnx } from './export';
import { openSession } from './session';
import { targetFor } from './target';

function doubling(): Uint8Array {
  const b = new Builder();
  const x = b.input('x', [2]);
  b.output('twice', b.scale(x, 2));
  b.output('same', x);
  b.output('again', x);
  return toOnnx(b.build());
}

describe('openSession', () => {
  it('runs a model and names its outputs, also those that are inputs', async () => {
    const session = await openSession(doubling(), { threads: 1 });
    const results = await session.run(new Map([['x', { shape: [2], data: Float32Array.of(1, 2) }]]));
    expect(Object.fromEntries([...results].map(([name, data]) => [name, [...data]]))).toEqual({
      twice: [2, 4],
      same: [1, 2],
      again: [1, 2],
    });
  });

  it('gives the same session for equal bytes and options', async () => {
    expect(await openSession(doubling(), { threads: 1 })).toBe(await openSession(doubling(), { threads: 1 }));
  });

  it('refuses thread counts, providers and models that it cannot use, saying why', async () => {
    await expect(openSession(doubling(), { threads: 0 })).rejects.toThrow(/1 to 256 threads/);
    await expect(openSession(doubling(), { threads: 1, provider: 'tpu' })).rejects.toThrow(/but is 'tpu'/);
    await expect(openSession(new Uint8Array([1, 2, 3]), { threads: 1 })).rejects.toMatchObject({ tag: 'EngineError' });
  });

  it('says what to install when a provider is missing', async () => {
    const opening = openSession(doubling(), { threads: 1, provider: 'cuda:0' });
    await expect(opening).rejects.toMatchObject({ tag: 'EngineError', hint: expect.stringMatching(/CUDA 12/) });
  });

  it('fails with a message of the runtime when an input is missing', async () => {
    const session = await openSession(doubling(), { threads: 1 });
    await expect(session.run(new Map())).rejects.toMatchObject({ tag: 'EngineError' });
  });
});

describe('outputs that the caller allocates', () => {
  /** next = w − g, and what reads w after that: next · w. */
  const update = async () => {
    const b = new Builder();
    const [w, g] = [b.parameter('w', [2]), b.input('g', [2])];
    const next = b.sub(w, g);
    b.output('next', next);
    b.output('later', b.mul(next, w));
    const session = await InferenceSession.create(toOnnx(b.build()), { graphOptimizationLevel: 'disabled' });
    const tensor = (...values: number[]) => new Tensor('float32', Float32Array.from(values), [2]);
    return { session, tensor, feeds: { w: tensor(4, 6), g: tensor(1, 2) } };
  };
  const dataOf = (tensor: Tensor | undefined) => tensor!.data as Float32Array;
  const numbers = (tensor: Tensor | undefined): readonly number[] => [...dataOf(tensor)];

  it('are written to, but what the runtime hands out is a copy: nothing is saved', async () => {
    const { session, tensor, feeds } = await update();
    const given = tensor(0, 0);
    const results = await session.run(feeds, { next: given, later: null });
    expect(numbers(given)).toEqual([3, 4]);
    expect(numbers(results.next)).toEqual([3, 4]);
    dataOf(given).fill(7);
    expect(numbers(results.next)).toEqual([3, 4]);
  });

  it('change an input that lies in the same memory, also for nodes that read it later: a step must not update in place', async () => {
    const { session, feeds } = await update();
    const results = await session.run(feeds, { next: feeds.w, later: null });
    expect(numbers(feeds.w)).toEqual([3, 4]);
    expect(numbers(results.later), 'not next · w, which is [12, 24]').toEqual([9, 16]);
  });
});

describe('targetFor', () => {
  it('finds the block of channels of this processor, and none for other providers', async () => {
    expect([undefined, 4, 8, 16]).toContain((await targetFor('cpu')).channelBlock);
    expect(await targetFor('webgpu')).toEqual({ device: 'webgpu' });
  });
});
