import { expect, it } from 'vitest';
import { siteSlots } from './site-slots';

const never = new AbortController().signal;

it('gives as many places as there are, and the next one to who came first', async () => {
  const slots = siteSlots(2);
  const first = await slots.take(never);
  const second = await slots.take(never);
  const order: string[] = [];
  const third = slots.take(never).then((free) => {
    order.push('third');
    return free;
  });
  const fourth = slots.take(never).then((free) => {
    order.push('fourth');
    return free;
  });
  expect(order).toEqual([]);
  first();
  first(); // A place is given back once.
  (await third)();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
  second();
});

it('forgets who no longer waits', async () => {
  const slots = siteSlots(1);
  const free = await slots.take(never);
  const stop = new AbortController();
  const waiting = slots.take(stop.signal);
  stop.abort(new Error('late'));
  await expect(waiting).rejects.toThrow('late');
  await expect(slots.take(stop.signal)).rejects.toThrow('late');
  free();
  await slots.take(never);
});
