import { beforeEach, describe, expect, it } from 'vitest';
import { atOnce, quickDisk } from '../../../test/support/sim/crash';
import type { SimDisk } from '../../../test/support/sim/disk';
import type { RunEvent } from '../../jobs/environment';
import type { RunEntry } from '../../protocol/run-event';
import { durableFolder } from '../../util/durable-folder';
import { openRunEvents, type RunEvents } from './run-events';

const file = '/job/events.jsonl';
const clock = { ...atOnce, monotonicMs: () => 0, wallMs: () => Date.UTC(2026, 0, 1), after: () => () => {} };
const never = new AbortController().signal;
const line = (message: string): RunEvent => ({ kind: 'log', level: 'info', message });
const progress = (done: number): RunEvent => ({
  kind: 'progress',
  site: 'site-1',
  round: 0,
  phase: 'train',
  done,
  total: 9,
  loss: undefined,
});

let sim: SimDisk;
beforeEach(() => {
  sim = quickDisk(1);
});
const open = () => openRunEvents({ disk: sim.mount(), clock, file });

async function numbersIn(events: RunEvents, from = 0, follow = false): Promise<number[]> {
  const numbers: number[] = [];
  for await (const page of events.read(from, follow, never)) numbers.push(...page.map(({ n }) => n));
  return numbers;
}

describe('the events of a run', () => {
  it('are read from any place on, from memory and from the file, each once and in order', async () => {
    const events = await open();
    for (let i = 0; i < 1000; i++) events.emit(line(String(i)));
    await events.flush();
    for (const from of [0, 1, 500, 743, 744, 745, 999, 1000, 2000]) {
      const expected = Array.from({ length: Math.max(0, 1000 - from) }, (_, i) => from + i);
      expect(await numbersIn(events, from), `from ${from}`).toEqual(expected);
      expect(await numbersIn(await open(), from), `from ${from}, after a restart`).toEqual(expected);
    }
  });

  it('go on with higher numbers after a restart, and drop what a crash has cut off', async () => {
    const events = await open();
    for (const message of ['a', 'b']) events.emit(line(message));
    await events.flush();
    sim.damage(file, (bytes) => Buffer.concat([bytes, Buffer.from('{"n":2,"ti')]));
    const again = await open();
    again.emit(line('c'));
    await again.flush();
    expect(await numbersIn(again)).toEqual([0, 1, 10_002]);
  });

  it('survive a power cut up to the start of the job, the end of its newest round, or its own end', async () => {
    const started: RunEvent = { kind: 'started', folder: 'small', slots: 0, resumedAt: undefined };
    const finished: RunEvent = {
      ...{ kind: 'round-finished', round: 0, final: false, metrics: {}, sites: [], seconds: 1 },
      ...{ epsilon: undefined, differentiallyPrivate: undefined },
    };
    await durableFolder('/job', sim.mount()); // As a job's folder is.
    const kept: string[] = [];
    for (const milepost of [started, finished, { kind: 'done', outcome: 'finished' } as const]) {
      const events = await open();
      // The file, too, may have been made by what is not flushed.
      for (const event of [line(`before ${milepost.kind}`), milepost, line('lost')]) {
        events.emit(event);
        await events.flush();
      }
      sim.powerCut('nothing');
      kept.push(`before ${milepost.kind}`, milepost.kind);
      const found: string[] = [];
      for await (const page of (await open()).read(0, false, never))
        found.push(...page.map(({ event }) => (event.kind === 'log' ? event.message : event.kind)));
      expect(found).toEqual(kept);
    }
  });

  it('after a power cut reach a follower who knows more than the file holds', async () => {
    await durableFolder('/job', sim.mount());
    const events = await open();
    const started: RunEvent = { kind: 'started', folder: 'small', slots: 0, resumedAt: undefined };
    for (const event of [started, line('lost'), line('lost')]) {
      events.emit(event);
      await events.flush();
    }
    const known = (await numbersIn(events)).at(-1)!;
    sim.powerCut('nothing');
    const again = await open();
    for (const message of ['a', 'b']) again.emit(line(message));
    await again.flush();
    expect(await numbersIn(await open())).toHaveLength(3);
    for (const reader of [again, await open()]) expect(await numbersIn(reader, known + 1)).toHaveLength(2);
  });

  it('reach nobody before they are in the file: a process that is killed there gives their numbers to others', async () => {
    let write = () => {};
    const writable = new Promise<void>((resolve) => {
      write = resolve;
    });
    const disk = sim.mount();
    const open: typeof disk.open = (...where) => writable.then(() => disk.open(...where));
    const events = await openRunEvents({ disk: { ...disk, open }, clock, file });
    const page = events.read(0, true, never)[Symbol.asyncIterator]().next();
    events.emit(line('a'));
    const soon = new Promise((resolve) => setTimeout(resolve, 20, 'nothing'));
    expect(await Promise.race([page, soon])).toBe('nothing');
    write();
    expect((await page).value.map(({ n }: RunEntry) => n)).toEqual([0]);
    expect(await numbersIn(await openRunEvents({ disk, clock, file }))).toEqual([0]);
  });

  it('reach followers as they happen, until the end', async () => {
    const events = await open();
    events.emit(line('before'));
    const seen: RunEntry[] = [];
    const following = (async () => {
      for await (const page of events.read(0, true, never)) {
        seen.push(...page);
        if (seen.length < 3) events.emit(line(`after ${seen.length}`));
        else events.end();
      }
    })();
    await following;
    expect(seen.map(({ event }) => 'message' in event && event.message)).toEqual(['before', 'after 1', 'after 2']);
  });

  it('give a follower that is slow only the newest progress of a site, and keep none', async () => {
    const events = await open();
    const pages = events.read(0, true, never)[Symbol.asyncIterator]();
    const first = pages.next();
    for (let done = 1; done <= 9; done++) events.emit(progress(done));
    expect((await first).value.map(({ event }: RunEntry) => event)).toEqual([progress(9)]);
    events.end();
    expect((await pages.next()).done).toBe(true);
    expect(await numbersIn(events)).toEqual([]);
  });

  it('keep an infinite ε on their way to the file and back', async () => {
    const costs = [
      {
        mechanism: 'none',
        differentiallyPrivate: false,
        epsilon: Number.POSITIVE_INFINITY,
        delta: 0,
        unit: 'site',
        details: {},
      },
    ];
    const event: RunEvent = { kind: 'privacy', round: 0, site: 'site-1', costs };
    const events = await open();
    events.emit(event);
    await events.flush();
    for await (const [entry] of (await open()).read(0, false, never)) expect(entry?.event).toEqual(event);
  });

  it('come in pages that fit into a message, and hold little memory', async () => {
    const events = await open();
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`metric_${i}`, i / 7]));
    for (let i = 0; i < 300; i++) events.emit({ kind: 'metrics', round: i, site: 'site-1', metrics: wide });
    await events.flush();
    let count = 0;
    for await (const page of events.read(0, false, never)) {
      expect(JSON.stringify(page).length).toBeLessThan(600_000);
      count += page.length;
    }
    expect(count).toBe(300);
  });

  it('stop for whoever stops listening, and say when the disk does not take them', async () => {
    const events = await open();
    const stop = new AbortController();
    const pages = events.read(0, true, stop.signal)[Symbol.asyncIterator]();
    const next = pages.next();
    stop.abort();
    expect((await next).done).toBe(true);
    sim.faults.quotaBytes = 10;
    events.emit(line('too much'));
    await expect(events.flush()).rejects.toMatchObject({ tag: 'WorkspaceError' });
    sim.faults.quotaBytes = undefined;
    events.emit(line('again'));
    await events.flush();
  });
});
