import { describe, expect, it } from 'vitest';
import { mergeAsync } from './merge-async';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Yields `<name><i>` after each pause, and notes its end. */
async function* ticking(name: string, pauses: readonly number[], ended: string[] = []): AsyncGenerator<string> {
  try {
    for (const [i, milliseconds] of pauses.entries()) {
      await pause(milliseconds);
      yield `${name}${i}`;
    }
  } finally {
    ended.push(name);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('streams that are merged', () => {
  it('give their items as they come', async () => {
    expect(await collect(mergeAsync([ticking('a', [10, 60]), ticking('b', [40])]))).toEqual(['a0', 'b0', 'a1']);
  });

  it('give nothing when there are none, or all are empty', async () => {
    expect(await collect(mergeAsync([]))).toEqual([]);
    expect(await collect(mergeAsync([ticking('a', []), ticking('b', [])]))).toEqual([]);
  });

  it('all end when the reader stops', async () => {
    const ended: string[] = [];
    for await (const item of mergeAsync([ticking('a', [1, 1], ended), ticking('b', [20, 1], ended)])) {
      expect(item).toBe('a0');
      break;
    }
    await pause(40);
    expect(ended.sort()).toEqual(['a', 'b']);
  });

  it('all end with the first error, which is thrown', async () => {
    const ended: string[] = [];
    async function* failing(): AsyncGenerator<string> {
      await pause(5);
      yield 'c0';
      throw new Error('the line is dead');
    }
    await expect(collect(mergeAsync([ticking('a', [20, 1], ended), failing()]))).rejects.toThrow('the line is dead');
    await pause(40);
    expect(ended).toEqual(['a']);
  });
});
