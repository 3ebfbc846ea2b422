import { describe, expect, it } from 'vitest';
import { refusedFor } from './refused-for';
import { logLine } from './site-events-text';

describe('a site that has connected', () => {
  const connected = (clockSkewMs: number) =>
    logLine({ kind: 'connected', session: 's', software: 'consilium 1', clockSkewMs });

  it('says nothing of clocks that agree', () => {
    for (const ms of [0, 59_000, -59_000]) {
      expect(connected(ms)).toMatchObject({ level: 'info', message: 'connected to the server (consilium 1)' });
    }
  });

  it('warns of clocks that differ by a minute or more: which is ahead, and what to do', () => {
    const next = 'Set the clock of the machine that is wrong; use NTP. Certificates are valid by it.';
    const message = (how: string) => `connected to the server (consilium 1); its clock is ${how} this one. ${next}`;
    expect(connected(-400_000)).toMatchObject({ level: 'warn', message: message('400 s behind') });
    expect(connected(60_000)).toMatchObject({ level: 'warn', message: message('60 s ahead of') });
  });
});

it('a refusal of its own policy and the next step are two sentences', () => {
  const error = refusedFor('policy code: no code of jobs runs here', { hint: 'Ask the operator.' });
  const told = logLine({ kind: 'task-failed', job: 'a', round: 2, error });
  expect(told?.message).toBe('task failed: policy code: no code of jobs runs here. Ask the operator.');
});
