/**
 * The Sites port over the hub: a workflow cannot tell it from sites in its own process.
 *
 * @module
 */
import {
  AbortedError,
  ConfigError,
  DataError,
  type ErrorData,
  type ErrorTag,
  isConsiliumError,
  isErrorTag,
} from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { LentUpdate } from '../protocol/read-update';
import type { BroadcastOptions, Sites } from '../protocol/sites';
import type { UpdateFile } from '../protocol/update-file';
import { type NamedTensors, sizeInBytes } from '../tensor/tensor';
import { arrivals } from '../util/arrivals';
import { canonicalJson } from '../util/canonical-json';
import type { Clock } from '../util/clock';
import { collectGarbage } from '../util/collect-garbage';
import { linkedController } from '../util/linked-controller';
import { oneLine } from '../util/one-line';
import { sha256Of } from '../util/sha256';
import { forgetSpareMemory } from '../util/spare-memory';
import type { BlobSource } from './blobs';
import type { HubTask, OpenJob, Outcome } from './hub-types';

export interface RemoteSitesOptions {
  readonly job: string;
  /** All sites, in the order in which updates are added up. */
  readonly names: readonly string[];
  readonly hub: Pick<OpenJob, 'ask' | 'turn'>;
  readonly clock: Clock;
  /** A model as it is sent, hashed once for all sites. */
  prepare(model: NamedTensors): BlobSource;
  /** Reads an answer that has arrived. @throws DataError when it is not an update. */
  read(file: string): Promise<LentUpdate>;
  /** Removes an answer that does not count. */
  discard(file: string): Promise<void>;
}

/** The engine of JavaScript does not see how large dead updates are: after so many bytes of them, it is told to look. */
const bytesBetweenCollections = 16 * 2 ** 20;

export function remoteSites(given: RemoteSitesOptions): Sites {
  const { names } = given;
  let [bytesRead, largest] = [0, 0];
  const options = { ...given, read: readAndCollect };
  return {
    names,
    broadcast(task, asked, broadcastOptions) {
      for (const name of asked) if (!names.includes(name)) throw noSuchSite(name, names);
      collectIfWorthIt();
      return collecting(broadcast(task, asked, broadcastOptions, options));
    },
  };

  /** Once large answers have all been read, the memory for them is not kept beside the model that is made of them. */
  async function* collecting(answers: AsyncGenerator<SiteAnswer>): AsyncGenerator<SiteAnswer> {
    largest = 0;
    yield* answers;
    if (largest < bytesBetweenCollections) return;
    forgetSpareMemory();
    collectGarbage();
    bytesRead = 0;
  }

  function collectIfWorthIt(): void {
    if (bytesRead < bytesBetweenCollections) return;
    collectGarbage();
    bytesRead = 0;
  }

  async function readAndCollect(file: string): Promise<LentUpdate> {
    collectIfWorthIt();
    const read = await given.read(file);
    const bytes = sizeInBytes(read.update.payload.tensors);
    bytesRead += bytes;
    largest = Math.max(largest, bytes);
    let isLent = true;
    const release = () => {
      if (isLent) bytesRead = Math.max(0, bytesRead - (2 * bytes) / 3); // Its memory is used again: only the pieces are left that it came in.
      isLent = false;
      read.release();
    };
    return { ...read, release };
  }
}

/** The task's name: equal tasks of a job have equal names, so a site's kept answer holds whenever it is asked the same again. */
export function taskId(job: string, { kind, round, settings }: Omit<Task, 'model'>, modelSha256: string): string {
  return sha256Of(Buffer.from(canonicalJson({ job, kind, round, settings: settings ?? null, model: modelSha256 })));
}

/** How a site has ended its task, or that it was lost or found. */
type Arrival = { readonly site: string; readonly outcome: Outcome | undefined };

async function* broadcast(
  task: Task,
  asked: readonly string[],
  { deadlineSeconds, until, signal, mayGiveUp = () => true }: BroadcastOptions,
  options: RemoteSitesOptions,
): AsyncGenerator<SiteAnswer> {
  if (signal.aborted) throw stopped();
  const { hub, clock } = options;
  const hubTask = hubTaskOf(task, options);
  const over = linkedController([signal, ...(until ? [until] : [])], stopped);
  const cancelDeadline = clock.after(deadlineSeconds * 1000, over.abort);
  const arrived = arrivals<Arrival>();
  over.signal.addEventListener('abort', arrived.interrupt, { once: true });
  const waiting = new Set(asked);
  /** Sites that are lost at the moment, and why. */
  const lost = new Map<string, string>();
  const watch = (site: string) => (reason: string | undefined) => {
    if (reason === undefined) lost.delete(site);
    else lost.set(site, reason);
    arrived.push({ site, outcome: undefined });
  };
  try {
    hub.turn(hubTask);
    for (const site of asked) {
      const outcome = over.signal.aborted
        ? undefined
        : hub.ask(site, hubTask, { signal: over.signal, lost: watch(site) });
      outcome
        ?.then((value) => {
          if (!arrived.push({ site, outcome: value })) tooLate(value);
        })
        .catch(() => {}); // Only when it is over.
    }
    while (waiting.size > 0 && !([...waiting].every((site) => lost.has(site)) && mayGiveUp())) {
      const next = await arrived.next();
      if (signal.aborted) throw stopped();
      if (next === 'interrupted') break;
      if (next.outcome === undefined) continue;
      waiting.delete(next.site);
      yield await answerOf(next.site, next.outcome, { task, hubTask, options });
    }
    for (const site of asked) if (waiting.has(site)) yield { status: 'late', site, ...reasonOf(lost.get(site)) };
  } finally {
    cancelDeadline();
    over.close(); // A workflow that stops listening, in error or on purpose, also stops the sites.
    for (const { outcome } of arrived.rest()) if (outcome) tooLate(outcome);
  }
}

/** An answer that has arrived and that nobody takes any more. Its file stays for an attempt that asks the same again. */
function tooLate(outcome: Outcome): void {
  if (outcome.status === 'answered') outcome.settle('closed', 'The round goes on without this answer.');
}

/** One object for a task, however often it is asked: retries keep its name, and its model is prepared once. */
function hubTaskOf(task: Task, { job, prepare }: RemoteSitesOptions): HubTask {
  const { kind, round, settings } = task;
  const model = prepare(task.model);
  return { id: taskId(job, task, model.ref.sha256), kind, round, model, settings };
}

function reasonOf(reason: string | undefined): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

interface Asking {
  readonly task: Task;
  readonly hubTask: HubTask;
  readonly options: RemoteSitesOptions;
}

async function answerOf(site: string, outcome: Outcome, { task, hubTask, options }: Asking): Promise<SiteAnswer> {
  if (outcome.status === 'failed') return { status: 'failed', site, error: errorData(outcome.tag, outcome.message) };
  if (outcome.status === 'unreceived') throw outcome.error;
  const { file, settle } = outcome;
  let update: Update;
  let release: () => void;
  try {
    const read = await options.read(file);
    update = checked(read, site, task, hubTask);
    release = read.release;
  } catch (error) {
    if (!isConsiliumError(error, 'DataError')) throw error;
    await options.discard(file);
    const reason = oneLine(error.message); // It may quote what the site has written.
    settle('rejected', reason);
    return { status: 'failed', site, error: errorData('UpdateRejectedError', reason) };
  }
  return {
    status: 'ok',
    site,
    update,
    release,
    spooled: file,
    acknowledge: (result, reason) => settle(result, reason),
  };
}

/** Whose update it is, and of what, must be what was asked of whom. @throws DataError. */
function checked({ update, model }: UpdateFile, site: string, task: Task, { model: asked }: HubTask): Update {
  same('of the site', site, update.site);
  same('of round', task.round, update.round);
  same('of the task', task.kind, update.task);
  same('computed on the model', asked.ref.sha256, model);
  return update;
}

function same(what: string, expected: string | number, found: string | number): void {
  if (expected === found) return;
  throw new DataError(`An update ${what} '${expected}' was asked for, but it is ${what} '${found}'.`);
}

function errorData(tag: string, message: string): ErrorData {
  const known: ErrorTag = isErrorTag(tag) ? tag : 'SiteFailedError';
  return { tag: known, message, hint: undefined, stack: undefined };
}

function noSuchSite(name: string, names: readonly string[]): ConfigError {
  return new ConfigError(`There is no site '${name}'; the sites are ${names.join(', ')}.`);
}

function stopped(): AbortedError {
  return new AbortedError('The run was stopped.');
}
