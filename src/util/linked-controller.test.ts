import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { linkedController } from './linked-controller';

it('aborts with any of its signals, for its reason, also with one that was aborted before', () => {
  const [run, round] = [new AbortController(), new AbortController()];
  const early = linkedController([run.signal, round.signal]);
  round.abort('enough');
  const late = linkedController([run.signal, round.signal]);
  run.abort('stopped');
  expect([early, late].map(({ signal }) => signal.reason)).toEqual(['enough', 'enough']);
});

it('aborts for a reason of its own where it has one', () => {
  const run = new AbortController();
  const [followed, alone] = [linkedController([run.signal], () => 'over'), linkedController([], () => 'over')];
  run.abort('stopped');
  alone.abort();
  expect([followed, alone].map(({ signal }) => signal.reason)).toEqual(['over', 'over']);
});

it('aborts by itself, and leaves the others and nothing at them', () => {
  const run = new AbortController();
  for (let round = 0; round < 50; round++) {
    const linked = linkedController([run.signal]);
    if (round % 2 === 0) linked.abort();
    linked.close();
    expect(linked.signal.aborted).toBe(true);
  }
  expect(run.signal.aborted).toBe(false);
  expect(getEventListeners(run.signal, 'abort')).toEqual([]);
});
