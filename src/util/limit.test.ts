import { expect, test } from 'vitest';
import { limit } from './limit';

test('runs no more tasks at a time than it may, in the order of the calls, whatever fails', async () => {
  const atMostTwo = limit(2);
  const begun: number[] = [];
  let running = 0;
  const results = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((i) =>
      atMostTwo(async () => {
        begun.push(i);
        running++;
        expect(running).toBeLessThanOrEqual(2);
        await new Promise((resolve) => setTimeout(resolve, 6 - i));
        running--;
        if (i === 2) throw new Error('no');
        return i;
      }),
    ),
  );
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, true, false, true, true, true]);
});
