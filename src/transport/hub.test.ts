import { describe, expect, it } from 'vitest';
import { simProcess, simTime } from '../../test/support/sim/clock';
import { decodeFrame, encodeFrame } from '../protocol/wire/frame';
import type { Message } from '../protocol/wire/messages';
import { type Clock, nodeClock } from '../util/clock';
import { memoryBlob, memorySink } from './blobs';
import type { Connection } from './connection';
import { createHub } from './hub';
import type { HubEvent, HubJob, Outcome } from './hub-types';

const bundle = memoryBlob([Buffer.from('bundle')]);
const job: HubJob = {
  id: 'job-1',
  sites: ['site-1'],
  bundle: () => bundle,
  sink: () => {
    throw new Error('No answer is fetched here.');
  },
  answerLimit: 1000,
};

function hubOf(
  ended: () => 'waiting' | undefined = () => 'waiting',
  clock: Clock = nodeClock,
  told: HubEvent[] = [],
  barred: (site: string) => string | undefined = () => undefined,
) {
  return createHub({
    clock,
    times: { heartbeatMs: 60_000, deadMs: 120_000, siteLostMs: 60_000, helloMs: 60_000 },
    software: 'test',
    newSession: () => 'session',
    ended,
    barred,
    on: (event) => told.push(event),
    unreadable: () => {},
  });
}

/** A site on the wire: what it says, and what it hears. */
function siteAt(hub: ReturnType<typeof hubOf>) {
  const heard: Message[] = [];
  const closed: string[] = [];
  let sent = 0;
  const connection: Connection = {
    peer: { name: 'site-1', role: 'site', fingerprint: 'f' },
    bufferedBytes: 0,
    send: (parts) => void heard.push(decodeFrame(Buffer.concat(parts)).message),
    pause() {},
    resume() {},
    close: ({ code }) => void closed.push(code),
  };
  const handler = hub.connect(connection);
  return {
    closed,
    heard: () => heard.splice(0).map(({ type }) => type),
    say: (message: Message) => handler.message(Buffer.concat(encodeFrame(++sent, message))),
    leave: () => handler.closed({ code: 'gone', message: 'gone' }),
  };
}

const hello = (...states: ('accepted' | 'refused')[]): Message => ({
  type: 'hello',
  protocols: [1],
  software: 'test',
  boot: '1',
  jobs: states.map((state) => ({ job: 'job-1', state, working: [], answers: [] })),
});

describe('a site that connects while it is connected', () => {
  it('is in at once, whether its connection broke half-open or it was restarted; only another process is told of', () => {
    const told: HubEvent[] = [];
    const hub = hubOf(undefined, undefined, told);
    const sites = ['1', '1', '2'].map((boot) => {
      const site = siteAt(hub);
      site.say({ ...hello(), boot } as Message);
      expect(site.heard()).toEqual(['welcome']);
      return site;
    });
    expect(sites.map(({ closed }) => closed)).toEqual([['replaced'], ['replaced'], []]);
    expect(told.map(({ kind }) => kind)).toEqual(['site-joined', 'site-joined', 'site-replaced', 'site-joined']);
    sites[2]!.leave();
  });
});

describe('a site and a job of the hub', () => {
  it('are brought together without asking again when the site came before the job was opened, after a restart', () => {
    const hub = hubOf();
    const site = siteAt(hub);
    site.say(hello('accepted'));
    expect(site.heard()).toEqual(['welcome']);
    const open = hub.open(job);
    expect(open.verdict('site-1').verdict).toBe('accepted');
    expect(site.heard()).toEqual([]);
    open.end('finished', '');
    site.leave();
  });

  it('are brought together without asking again when the job is opened anew after a pause', () => {
    const hub = hubOf();
    const site = siteAt(hub);
    site.say(hello());
    const open = hub.open(job);
    expect(site.heard()).toEqual(['welcome', 'job']);
    site.say({ type: 'job-answer', job: 'job-1', verdict: 'accepted', reason: '' });
    open.pause();
    const again = hub.open(job);
    expect(again.verdict('site-1').verdict).toBe('accepted');
    expect(site.heard()).toEqual([]);
    again.end('finished', '');
    expect(site.heard()).toEqual(['end-job']);
    site.leave();
  });

  it('are asked again when the site had refused it, or has another process', () => {
    const hub = hubOf();
    const site = siteAt(hub);
    site.say(hello('refused'));
    const open = hub.open(job);
    expect(site.heard()).toEqual(['welcome', 'job']);
    site.leave();
    const another = siteAt(hub);
    another.say(hello());
    expect(another.heard()).toEqual(['welcome', 'job']);
    open.end('aborted', '');
    another.leave();
  });

  it('part when the site is withdrawn: it is told so, also when it comes back, and its answers do not count', () => {
    const hub = hubOf();
    const site = siteAt(hub);
    site.say(hello());
    const open = hub.open(job);
    site.say({ type: 'job-answer', job: 'job-1', verdict: 'accepted', reason: '' });
    site.heard();
    open.withdraw('site-1', 'by keeper');
    expect(site.heard()).toEqual(['end-job']);
    expect(open.verdict('site-1')).toEqual({ verdict: 'withdrawn', reason: 'by keeper' });
    const task = 'a'.repeat(64);
    site.say({ type: 'answer', job: 'job-1', task, round: 0, blob: { sha256: task, size: 1 } });
    expect(site.heard()).toEqual(['answered']);
    site.leave();
    const again = siteAt(hub);
    again.say(hello('accepted'));
    expect(again.heard()).toEqual(['welcome', 'end-job']);
    open.end('finished', '');
    expect(again.heard()).toEqual([]);
    again.leave();
  });

  it('part when the server does not know the job any more', () => {
    const hub = hubOf(() => undefined);
    const site = siteAt(hub);
    site.say(hello('accepted'));
    expect(site.heard()).toEqual(['welcome', 'end-job']);
    site.leave();
  });

  it('part when the site says what only people may say', () => {
    for (const message of [
      { type: 'request', id: 0, method: 'abort', params: { job: 'job-1' } },
      { type: 'cancel', id: 0 },
      { type: 'end-job', job: 'job-1', outcome: 'aborted', reason: '' },
    ] as const) {
      const site = siteAt(hubOf());
      site.say(hello());
      site.say(message);
      expect(site.closed, message.type).toEqual(['protocol']);
    }
  });

  it('leave no timer behind when the site was away and has answered since: a server that is told to stop ends at once', async () => {
    const timers = new Set<symbol>();
    const clock: Clock = {
      ...nodeClock,
      after(ms, act) {
        const timer = Symbol(ms);
        timers.add(timer);
        const end = nodeClock.after(ms, () => {
          timers.delete(timer);
          act();
        });
        return () => {
          timers.delete(timer);
          end();
        };
      },
    };
    const hub = hubOf(undefined, clock);
    const open = hub.open({ ...job, sink: () => ({ ...memorySink(10), path: 'answer' }) });
    const task = { id: 'a'.repeat(64), kind: 'train', round: 0, model: bundle };
    const outcome = open.ask('site-1', task, { signal: new AbortController().signal, lost: () => {} });
    for (let time = 0; time < 3; time++) {
      const site = siteAt(hub);
      site.say(hello('accepted'));
      site.leave();
    }
    expect(timers.size, 'one watch, however often it was away').toBe(1);
    const site = siteAt(hub);
    site.say(hello('accepted'));
    const nothing = memoryBlob([]).ref;
    site.say({ type: 'answer', job: 'job-1', task: task.id, round: 0, blob: nothing });
    expect(await outcome).toMatchObject({ status: 'answered', file: 'answer' });
    site.leave();
    expect(timers.size).toBe(0);
    open.pause();
  });
});

describe('a site that is out of touch', () => {
  const task = (id: string) => ({ id: id.repeat(64), kind: 'train', round: 0, model: bundle });
  const minute = 60_000;

  /** What is said of a task that `site-1` is given after some time without it, or in which it leaves. */
  function asked(barred?: () => string | undefined) {
    const time = simTime();
    const { clock } = simProcess(time);
    const hub = hubOf(undefined, clock, [], barred);
    const open = hub.open(job);
    const { signal } = new AbortController();
    const ask = (id: string) => {
      const said: { readonly atMs: number; readonly lost?: string | undefined; readonly outcome?: Outcome }[] = [];
      const tell = (what: object) => said.push({ atMs: time.nowMs, ...what });
      void open
        .ask('site-1', task(id), { signal, lost: (lost) => tell({ lost }) })
        .then((outcome) => tell({ outcome }));
      return said;
    };
    return { time, hub, ask };
  }

  it('is lost once it was so for the set time, and at once in the next task: nobody waits for it in each round', async () => {
    const { time, ask } = asked();
    await time.runFor(0.4 * minute);
    const first = ask('a');
    await time.runFor(0.6 * minute - 1);
    expect(first).toEqual([]);
    await time.runFor(1);
    expect(first).toEqual([{ atMs: minute, lost: 'out of touch for 60 s' }]);
    await time.runFor(4 * minute);
    const next = ask('b');
    await time.runFor(1);
    expect(next).toEqual([{ atMs: 5 * minute + 1, lost: 'out of touch for 300 s' }]);
  });

  it('is found when it is back, and has its time again when it leaves', async () => {
    const { time, hub, ask } = asked();
    await time.runFor(2 * minute);
    const said = ask('a');
    await time.runFor(1);
    const site = siteAt(hub);
    site.say(hello('accepted'));
    expect(site.heard()).toEqual(['welcome', 'task']);
    site.leave();
    await time.runFor(minute);
    expect(said.map(({ lost }) => lost)).toEqual(['out of touch for 120 s', undefined, 'out of touch for 60 s']);
  });

  it('has failed when it was revoked, before it is asked or while it is', async () => {
    let reason: string | undefined = 'it was revoked';
    const { time, hub, ask } = asked(() => reason);
    const failed = { outcome: { status: 'failed', tag: 'RefusedError', message: 'it was revoked' } };
    const before = ask('a');
    await time.runFor(0);
    expect(before).toEqual([{ atMs: 0, ...failed }]);
    reason = undefined;
    const meanwhile = ask('b');
    await time.runFor(10);
    expect(meanwhile).toEqual([]);
    reason = 'it was revoked';
    hub.review();
    await time.runFor(0);
    expect(meanwhile).toEqual([{ atMs: 10, ...failed }]);
  });
});
