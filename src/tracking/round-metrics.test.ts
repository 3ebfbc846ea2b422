import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromJson } from '../util/exact-json';
import { openRoundMetrics, type RoundEntry, summarise } from './round-metrics';

function entry(round: number, dice: number | null, changes: Partial<RoundEntry> = {}): RoundEntry {
  return {
    round,
    metrics: { val_dice: dice },
    sites: [{ name: 'site-1', status: 'ok', steps: 6, metrics: { val_dice: dice, train_loss: 0.5 } }],
    seconds: 2,
    time: '2026-01-31T12:00:00.000Z',
    ...changes,
  };
}

const late: RoundEntry['sites'] = [
  { name: 'site-1', status: 'late' },
  { name: 'site-2', status: 'ok', steps: 4, metrics: { train_loss: 0.25 } },
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'round-metrics-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('writes one line a round and a summary', async () => {
  const metrics = await openRoundMetrics(folder, { keyMetric: 'val_dice' });
  await metrics.add(entry(0, null));
  await metrics.add(entry(1, 0.5, { final: true, sites: [] }));
  const lines = (await readFile(join(folder, 'round_metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([entry(0, null), entry(1, 0.5, { final: true, sites: [] })]);
  const summary = JSON.parse(await readFile(join(folder, 'metrics_summary.json'), 'utf8'));
  expect(summary).toEqual(
    summarise(
      lines.map((line) => JSON.parse(line)),
      'val_dice',
    ),
  );
});

test('makes the file equal to the history before it goes on', async () => {
  await (await openRoundMetrics(folder, { keyMetric: 'val_dice' })).add(entry(0, 0.1));
  const resumed = await openRoundMetrics(folder, { keyMetric: 'val_dice', history: [entry(0, 0.1), entry(1, 0.2)] });
  await resumed.add(entry(2, 0.3));
  const lines = (await readFile(join(folder, 'round_metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).round)).toEqual([0, 1, 2]);
});

test('makes the summary equal to the history too: the finished run whose last line was cut off', async () => {
  const history = [entry(0, 0.1), entry(1, 0.2, { final: true })];
  await openRoundMetrics(folder, { keyMetric: 'val_dice', history });
  const summary = JSON.parse(await readFile(join(folder, 'metrics_summary.json'), 'utf8'));
  expect(summary).toEqual(summarise(history, 'val_dice'));
});

test('keeps an infinite ε', async () => {
  const privacy = {
    mechanism: 'svt-nvflare',
    differentiallyPrivate: false,
    epsilon: Infinity,
    epsilonTotal: Infinity,
    delta: 0,
    unit: 'update',
  };
  await (await openRoundMetrics(folder, { keyMetric: 'val_dice' })).add(entry(0, 0.1, { privacy }));
  expect(fromJson(await readFile(join(folder, 'round_metrics.jsonl'), 'utf8'))).toMatchObject({ privacy });
});

test('the best entry is the earliest of the largest, the finished model included', () => {
  const entries = [entry(0, null), entry(1, 0.5), entry(2, 0.5), entry(3, 0.4, { final: true })];
  expect(summarise(entries, 'val_dice').best).toMatchObject({ round: 1, value: 0.5 });
  expect(summarise([...entries.slice(0, 3), entry(3, 0.6, { final: true })], 'val_dice').best).toMatchObject({
    round: 3,
  });
  expect(summarise([entry(0, null)], 'val_dice').best).toBeNull();
});

test('counts how the sites ended their rounds', () => {
  const { sites, seconds, rounds, final } = summarise([entry(0, 0.1), entry(1, 0.2, { sites: late })], 'val_dice');
  expect(sites).toEqual([
    { name: 'site-1', ok: 1, failed: 0, late: 1, rejected: 0, steps: 6, metrics: { val_dice: 0.1, train_loss: 0.5 } },
    { name: 'site-2', ok: 1, failed: 0, late: 0, rejected: 0, steps: 4, metrics: { train_loss: 0.25 } },
  ]);
  expect({ seconds, rounds, final }).toEqual({ seconds: 4, rounds: 2, final: null });
});
