import { expect, it } from 'vitest';
import type { RunEvent } from '../jobs/environment';
import { inRoundOrder } from './round-order';

const progress = (round: number, done: number): RunEvent => {
  return { kind: 'progress', site: 'site-1', round, phase: 'train', done, total: 2, loss: undefined };
};
const started = (round: number): RunEvent => ({ kind: 'round-started', round, rounds: 3 });

it('tells what sites do in a round only after the round has started, and in order', () => {
  const told: RunEvent[] = [];
  const pass = inRoundOrder((event) => told.push(event));
  const late: RunEvent = {
    ...{ kind: 'site-failed', site: 'site-2', round: 1, task: 'train' },
    ...{ status: 'late', error: undefined, reason: 'too late' },
  };
  const lost: RunEvent = { kind: 'site-lost', site: 'site-2', reason: 'gone' };
  for (const event of [started(0), progress(0, 1), progress(1, 1), lost, late, progress(1, 2), progress(2, 1)])
    pass(event);
  expect(told).toEqual([started(0), progress(0, 1), lost]);
  pass(started(1));
  expect(told.slice(3)).toEqual([started(1), progress(1, 1), late, progress(1, 2)]);
  pass(started(2));
  expect(told.at(-1)).toEqual(progress(2, 1));
});
