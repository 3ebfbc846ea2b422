/**
 * The life of the jobs of a server: from the queue to their ends, several at a time, each by itself.
 *
 * @module
 */
import { AbortedError, RefusedError } from '../../errors';
import type { RunEvent } from '../../jobs/environment';
import { type EndedState, hasEnded, type JobReason, type QueueReason } from '../../protocol/admin-api';
import { queueText } from '../../protocol/queue-text';
import type { Identity } from '../../transport/connection';
import type { JobControl, JobControlOptions } from './job-control-types';
import { faultOf, reasonLine, reasonOfError } from './job-fault';
import type { JobChange } from './job-store';
import { openRunEvents, type RunEvents } from './run-events';
import { type JobEnding, type JobOutcome, type RunningJob, type RunningJobOptions, startJob } from './running-job';
import { plan } from './scheduler';
import { type SavedJob, stateOf } from './stored-job';

/** First and longest time until a job that a broken disk has stopped is tried again. */
const retryMs = { first: 30_000, longest: 600_000 };

/** A job that has a place: it starts, runs or ends. */
interface Active {
  run: RunningJob | undefined;
  over: Promise<void>;
}

/** A job that waits for the disk: how it goes on, and what it had come to. */
interface Pausing extends Partial<Pick<JobOutcome, 'finishedRounds'>> {
  /** @default it begins at once, since it had a place */
  readonly goOn?: () => void;
}

/** Goes on with the jobs that were running, before anything new is started. */
export function createJobControl(options: JobControlOptions): JobControl {
  const { clock, disk, store, audit, log, hub, settings, on } = options;
  const active = new Map<string, Active>();
  const paused = new Map<string, { readonly reason: JobReason; readonly ms: number; readonly cancel: () => void }>();
  const events = new Map<string, Promise<RunEvents>>();
  let waits: ReadonlyMap<string, QueueReason> = new Map();
  let stopping = false;

  for (const job of store.all()) if (stateOf(job) === 'running') begin(job.id);
  for (const job of store.all()) if (stateOf(job) === 'submitted') report(move(job.id, { state: 'queued' }));
  consider();

  return {
    running: () => [...active.values()].flatMap(({ run }) => run ?? []),
    runningJob: (id) => active.get(id)?.run,
    eventsOf,
    waitsFor,
    async queue({ id, owner }) {
      log.write('info', `submitted by ${owner}`, { run: id });
      await enqueue(id);
    },
    consider,
    abort,
    withdraw,
    remove,
    async stop() {
      stopping = true;
      for (const { cancel } of paused.values()) cancel();
      for (const { run } of active.values()) run?.suspend();
      await Promise.all([...active.values()].map(({ over }) => over));
    },
  };

  /** Work that nobody waits for. */
  function report(work: Promise<unknown>): void {
    work.catch((error: unknown) => trouble(error));
  }

  function trouble(error: unknown, run?: string): void {
    log.write('error', error instanceof Error ? error.message : String(error), { ...(run !== undefined && { run }) });
  }

  /** The job was submitted, and whoever did so is told that: from here on it is not undone, and at worst waits for the disk. */
  async function enqueue(id: string): Promise<void> {
    try {
      await move(id, { state: 'queued' });
      paused.delete(id);
    } catch (error) {
      if (faultOf(error) !== 'DISK') throw error;
      trouble(error, id);
      await pause(id, reasonOfError(error, id), { goOn: () => report(enqueue(id)) });
    }
    consider();
  }

  async function move(id: string, change: JobChange): Promise<void> {
    const moved = store.change(id, change);
    await moved.finally(() => {
      const job = store.get(id);
      if (job) on({ kind: 'job', job });
    });
  }

  function waitsFor(id: string): QueueReason | undefined {
    const pause = paused.get(id);
    if (!pause) return stopping ? { code: 'stopping' } : waits.get(id);
    return { code: 'paused', reason: pause.reason, retrySeconds: Math.round(pause.ms / 1000) };
  }

  function consider(): void {
    if (stopping) return;
    const all = store.all();
    const next = plan({
      queued: all.filter((job) => stateOf(job) === 'queued' && !active.has(job.id) && !isPaused(job.id)),
      running: all.filter(({ id }) => active.has(id)),
      maxJobs: settings.maxJobs,
      siteOf(site) {
        const { connected, resources } = hub.status(site);
        return connected ? (resources ?? { slots: 1, memoryMb: 0, gpus: 0 }) : undefined;
      },
    });
    for (const [id, reason] of next.wait) if (waits.get(id)?.code !== reason.code) report(tellWaiting(id, reason));
    waits = next.wait;
    for (const id of next.start) begin(id);
  }

  async function tellWaiting(id: string, reason: QueueReason): Promise<void> {
    (await eventsOf(id)).emit({ kind: 'log', level: 'info', message: `Waits: ${queueText(reason)}.` });
  }

  function isPaused(id: string): boolean {
    return paused.has(id);
  }

  /** Takes a place for the job at once, and starts it. */
  function begin(id: string): void {
    const one: Active = { run: undefined, over: Promise.resolve() };
    active.set(id, one);
    one.over = live(id, one).finally(() => {
      active.delete(id);
      consider();
    });
    report(one.over);
  }

  /** A job from its start to its end. */
  async function live(id: string, one: Active): Promise<void> {
    let ending: JobEnding;
    try {
      const followers = await eventsOf(id);
      if (stateOf(store.get(id)!) !== 'running') {
        await audit.append({ event: 'started', job: id });
        await move(id, { state: 'running' });
      }
      if (stopping) return;
      one.run = startJob({ ...options, ...jobOptions(id), events: followers });
      ending = await one.run.ended;
    } catch (error) {
      ending = { state: 'failed', reason: reasonOfError(error, id), ...outcomeOf(store.get(id)!) };
      if (ending.reason?.code === 'DISK') trouble(error, id);
    }
    if (ending.state === 'suspended' || ending.reason?.code === 'DISK') one.run?.release();
    if (ending.state === 'suspended') return;
    if (ending.reason?.code === 'DISK') await pause(id, ending.reason, { finishedRounds: ending.finishedRounds });
    else await end(id, one, ending);
  }

  function jobOptions(id: string): Omit<RunningJobOptions, 'events' | 'record' | 'testNoiseSeed' | 'read'> {
    return {
      job: store.get(id)!,
      folder: store.folder(id),
      disk,
      clock,
      hub,
      readSpec: () => store.readSpec(id),
      stallMs: settings.stallSeconds * 1000,
      trouble: (error) => trouble(error, id),
      on: (event) => heard(id, event),
    };
  }

  function heard(id: string, event: RunEvent): void {
    on({ kind: 'run', job: id, event });
    if (event.kind === 'log') {
      const { level, message, site } = event;
      log.write(level, message, { run: id, ...(site !== undefined && { site }) });
    } else if (event.kind === 'round-finished') {
      log.write('info', 'round finished', { run: id, round: event.round, seconds: event.seconds });
    }
  }

  /** A job that the disk has stopped goes on from its checkpoint, by itself, once the disk takes what it is given. */
  async function pause(
    id: string,
    reason: JobReason,
    { goOn = () => begin(id), ...come }: Pausing = {},
  ): Promise<void> {
    const ms = Math.min(retryMs.longest, (paused.get(id)?.ms ?? retryMs.first / 2) * 2);
    const again = () => {
      const state = store.get(id);
      if (!state || hasEnded(stateOf(state))) paused.delete(id);
      else goOn();
    };
    paused.set(id, { reason, ms, cancel: clock.after(ms, again) });
    const message = `Paused, and tried again in ${ms / 1000} s: ${reason.message}`;
    log.write('error', message, { run: id });
    (await eventsOf(id)).emit({ kind: 'log', level: 'warn', message });
    report(move(id, { state: 'queued', reason, ...come }));
  }

  /** The state is on disk before anybody is told. */
  async function end(id: string, { run }: Active, ending: Exclude<JobEnding, { state: 'suspended' }>): Promise<void> {
    const { state, reason, ...outcome } = ending;
    const why = reason && { code: reason.code, reason: reason.message };
    report(audit.append({ event: state, job: id, ...why }));
    paused.delete(id);
    try {
      await move(id, { state, ...outcome, ...(reason && { reason }) });
    } finally {
      const line = reason ? reasonLine(reason) : '';
      run?.tellSites(state, line);
      log.write(state === 'failed' ? 'error' : 'info', line === '' ? state : `${state}: ${line}`, { run: id });
      await tellFollowers(id, state);
    }
  }

  async function tellFollowers(id: string, outcome: EndedState): Promise<void> {
    const followers = await eventsOf(id);
    followers.emit({ kind: 'done', outcome });
    on({ kind: 'run', job: id, event: { kind: 'done', outcome } });
    followers.end();
    // The job has ended all the same where an event of it, perhaps of long ago, found the disk full.
    await followers.flush().catch((error: unknown) => trouble(error, id));
    events.delete(id);
  }

  function eventsOf(id: string): Promise<RunEvents> {
    const known = events.get(id);
    if (known) return known;
    const opened = openRunEvents({ disk, clock, file: store.folder(id).events });
    const job = store.get(id);
    const isOver = job !== undefined && hasEnded(stateOf(job)) && !active.has(id);
    if (isOver) return opened.then(ended);
    events.set(id, opened);
    opened.catch(() => events.delete(id));
    return opened;
  }

  async function abort(job: SavedJob, by: Identity, reason: string): Promise<void> {
    const { id } = job;
    if (hasEnded(stateOf(job))) return;
    await audit.append({ event: 'abort-asked', job: id, by: by.name });
    const one = active.get(id);
    one?.run?.abort(reason);
    await one?.over;
    const state = stateOf(store.get(id)!);
    if (hasEnded(state)) return;
    paused.get(id)?.cancel();
    const aborted = { state: 'aborted', reason: reasonOfError(new AbortedError(reason), id) } as const;
    await end(id, { run: undefined, over: Promise.resolve() }, { ...aborted, ...outcomeOf(job) });
    consider();
  }

  async function withdraw(job: SavedJob, site: string, by: Identity, why: string): Promise<void> {
    const { id, sites, withdrawn } = job;
    if (!sites.includes(site)) throw new RefusedError(`The job '${id}' has no site '${site}'.`);
    if (hasEnded(stateOf(job))) throw new RefusedError(`The job '${id}' has ended.`);
    if (Object.hasOwn(withdrawn, site)) return;
    await audit.append({ event: 'withdrawn', job: id, site, by: by.name, reason: why });
    await move(id, { withdrawn: { ...withdrawn, [site]: why } });
    active.get(id)?.run?.withdraw(site, why);
    consider();
  }

  async function remove(job: SavedJob, by: Identity): Promise<void> {
    const { id, hash } = job;
    if (!hasEnded(stateOf(job)) || active.has(id)) {
      throw new RefusedError(`The job '${id}' is ${stateOf(job)}.`, { hint: `Abort it first: consilium abort ${id}` });
    }
    await audit.append({ event: 'deleted', job: id, hash, by: by.name });
    await store.remove(id);
  }
}

/** What was known of a job before it ran. */
function outcomeOf({ finishedRounds, metrics, refusals, accepted }: SavedJob): JobOutcome {
  return { finishedRounds, metrics, refusals, accepted };
}

function ended(events: RunEvents): RunEvents {
  events.end();
  return events;
}
