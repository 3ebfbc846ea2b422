import { expect, it } from 'vitest';
import type { RunEvent } from '../jobs/environment';
import { decodeEntry, encodeEntry } from './run-event';

const seconds = { validate: 1, train: 2, other: 0.5 };
const cost = { mechanism: 'svt', differentiallyPrivate: true, epsilon: 1, delta: 0, unit: 'update', details: { a: 1 } };

/** One of each kind; total by type. */
const events: { readonly [K in RunEvent['kind']]: Extract<RunEvent, { readonly kind: K }> } = {
  started: { kind: 'started', folder: '/runs/a', slots: 2, resumedAt: 3 },
  'round-started': { kind: 'round-started', round: 0, rounds: 2 },
  progress: { kind: 'progress', site: 'a', round: 0, phase: 'train', done: 1, total: 2, loss: 0.5 },
  'round-finished': {
    ...{ kind: 'round-finished', round: 0, final: false, metrics: { dice: null, loss: 1 }, seconds: 4 },
    sites: [
      { name: 'a', status: 'ok', seconds },
      { name: 'b', status: 'failed', reason: 'its data cannot be used' },
    ],
    ...{ epsilon: Number.POSITIVE_INFINITY, differentiallyPrivate: false },
  },
  'site-joined': { kind: 'site-joined', site: 'a' },
  'site-lost': { kind: 'site-lost', site: 'a', reason: 'its worker died' },
  'site-failed': {
    ...{ kind: 'site-failed', site: 'a', round: 0, task: 'train' },
    ...{ status: 'failed', error: 'DataError', reason: 'its data cannot be used' },
  },
  metrics: { kind: 'metrics', round: 0, site: 'a', metrics: { loss: 1 } },
  privacy: { kind: 'privacy', round: 0, site: 'a', costs: [cost] },
  log: { kind: 'log', level: 'warn', site: 'a', message: 'odd' },
  done: { kind: 'done', outcome: 'finished' },
};

it.each(Object.values(events))('an event travels as it is: $kind', (event) => {
  const entry = { n: 7, time: '2026-01-02T03:04:05.678Z', event };
  expect(decodeEntry(JSON.parse(JSON.stringify(encodeEntry(entry))))).toEqual(entry);
});

it('an event is read as one line, without characters that a terminal would act upon', () => {
  const event = { kind: 'log', level: 'warn', site: 'a', message: 'It refused: \x1b[2Jred\n  forged\x07' };
  const entry = { n: 0, time: '2026-01-02T03:04:05.678Z', event };
  expect(decodeEntry(entry).event).toMatchObject({ message: 'It refused: [2Jred forged' });
});

it('a late site has no class of error', () => {
  const { error: _, ...late } = { ...events['site-failed'], status: 'late' as const };
  const entry = { n: 0, time: '2026-01-02T03:04:05.678Z', event: { ...late, error: undefined } };
  expect(decodeEntry(encodeEntry(entry)).event).toEqual(late);
});
