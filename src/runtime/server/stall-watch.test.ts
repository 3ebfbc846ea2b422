import { expect, it } from 'vitest';
import { simProcess, simTime } from '../../../test/support/sim/clock';
import { watchStall } from './stall-watch';

it('a stall is told once nothing has happened for long, then after twice and four times as long, and anew after something has', async () => {
  const time = simTime();
  const told: [number, number][] = [];
  const watch = watchStall(simProcess(time).clock, 300_000, (idleMs) => told.push([time.nowMs, idleMs]));
  await time.runFor(200_000);
  watch.touch();
  await time.runFor(299_000);
  expect(told).toEqual([]);
  expect(watch.stalledMs).toBeUndefined();
  await time.runFor(1_000_000);
  expect(told).toEqual([
    [500_000, 300_000],
    [800_000, 600_000],
    [1_400_000, 1_200_000],
  ]);
  expect(watch.stalledMs).toBe(1_299_000);
  watch.touch();
  await time.runFor(299_999);
  expect(told).toHaveLength(3);
  await time.runFor(1);
  expect(told.at(-1)).toEqual([1_799_000, 300_000]);
  watch.stop();
  await time.runFor(10_000_000);
  expect(told).toHaveLength(4);
});
