/**
 * The items of several streams as they come. All streams are read at the same time. Ending the reading, or an error of one
 * stream, ends the others after the step they are in.
 */
export async function* mergeAsync<T>(streams: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const step = async (iterator: AsyncIterator<T>) => ({ iterator, result: await iterator.next() });
  const waiting = new Map(iterators.map((iterator) => [iterator, step(iterator)]));
  try {
    while (waiting.size > 0) {
      const { iterator, result } = await Promise.race(waiting.values());
      if (result.done) {
        waiting.delete(iterator);
      } else {
        waiting.set(iterator, step(iterator));
        yield result.value;
      }
    }
  } finally {
    for (const [iterator, next] of waiting) {
      next.catch(() => {}); // The first error is the one that is thrown.
      // Not awaited: a stream in the middle of a step ends after it.
      iterator.return?.().catch(() => {});
    }
  }
}
