/**
 * What happens in a run, for those who follow it: kept in a file, the newest also in memory. Followers read at their own pace,
 * so that a slow one costs no memory; progress is told to whoever listens at that moment and kept nowhere.
 *
 * The file is flushed when a job starts and ends and with the end of each round: a power cut takes at most what happened in the
 * round that was under way. Rounds do not wait for it.
 *
 * @module
 */
import { dirname } from 'node:path';
import type { RunEvent } from '../../jobs/environment';
import { decodeEntry, encodeEntry, longestText, type RunEntry } from '../../protocol/run-event';
import { appendData, codeOf, flushFolder, workspaceError } from '../../util/atomic-file';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { lastLines } from '../../util/last-lines';
import { readLines } from '../../util/read-lines';

export interface RunEvents {
  /** The newest round that an earlier process has told of as finished. */
  readonly lastFinished: { readonly round: number; readonly final: boolean } | undefined;
  emit(event: RunEvent): void;
  /** Pages of entries from `from` on; with `follow`, until {@link RunEvents.end}, and then also progress. */
  read(from: number, follow: boolean, signal: AbortSignal): AsyncIterable<readonly RunEntry[]>;
  /** Resolves when all so far is written. @throws WorkspaceError for the first since the last flush that could not be. */
  flush(): Promise<void>;
  /** Nothing more comes: followers end. */
  end(): void;
}

export interface RunEventsOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly file: string;
}

/** Entries that are kept in memory, and those of one page. */
const mostKept = 256;
const pageEntries = 64;
const pageBytes = 256 * 1024;
/** Longest entry, bytes: a round with the answers of many sites. */
const longestEntry = 512 * 1024;

/**
 * Numbers that a process leaves out after those of the one before: a power cut may have taken entries whose numbers followers
 * know, and they would take others of these numbers for them.
 */
const leftOut = 10_000;

/** What is flushed as soon as it is written, with all before it. */
const mileposts: ReadonlySet<RunEvent['kind']> = new Set(['started', 'round-finished', 'done']);

/** Goes on where an earlier process ended; only the end of its file is read. */
export async function openRunEvents({ disk, clock, file }: RunEventsOptions): Promise<RunEvents> {
  const last = await lastLines(file, longestEntry, disk);
  let count = last.length === 0 ? 0 : decodeEntry(JSON.parse(last.at(-1)!.toString('utf8'))).n + 1 + leftOut;
  const lastFinished = await newestFinished(last, file, disk);
  /** Followers are told of what is in the file: a process that dies must not give a number that they know to another entry. */
  let written = count;
  const kept: RunEntry[] = [];
  let unwritten: RunEntry[] = [];
  let writing: Promise<void> = Promise.resolve();
  /** Whether the name of the file is durable: one that was there may have been made without a flush. */
  let isNamed = false;
  let failure: unknown;
  let ended = false;
  const followers = new Set<Follower>();
  return {
    lastFinished,
    emit,
    read,
    async flush() {
      await writing;
      const first = failure;
      failure = undefined;
      if (first !== undefined) throw first;
    },
    end() {
      ended = true;
      wakeAll();
    },
  };

  function emit(event: RunEvent): void {
    const entry = { n: count, time: new Date(clock.wallMs()).toISOString(), event: bounded(event) };
    if (event.kind === 'progress') {
      for (const { progress } of followers) progress.set(event.site, entry);
    } else {
      count++;
      kept.push(entry);
      if (kept.length > mostKept) kept.shift();
      unwritten.push(entry);
      if (unwritten.length === 1) writing = writing.then(write);
      return;
    }
    wakeAll();
  }

  function wakeAll(): void {
    for (const { wake } of followers) wake();
  }

  async function write(): Promise<void> {
    const entries = unwritten;
    unwritten = [];
    const lines = entries.map((entry) => `${JSON.stringify(encodeEntry(entry))}\n`);
    const durable = entries.some(({ event }) => mileposts.has(event.kind));
    await append(lines.join(''), durable).catch((error: unknown) => {
      failure ??= error;
    });
    written += entries.length;
    wakeAll();
  }

  async function append(text: string, durable: boolean): Promise<void> {
    await appendData(file, text, { disk, durable });
    if (!durable || isNamed) return;
    await flushFolder(dirname(file), disk);
    isNamed = true;
  }

  async function* read(from: number, follow: boolean, signal: AbortSignal): AsyncGenerator<readonly RunEntry[]> {
    const follower: Follower = { progress: new Map(), wake: () => {} };
    if (follow) followers.add(follower);
    const stop = () => follower.wake();
    signal.addEventListener('abort', stop, { once: true });
    let next = from;
    try {
      while (!signal.aborted) {
        const oldest = kept[0]?.n ?? count;
        if (next < oldest) {
          await writing;
          for await (const page of readEntries(file, next, disk)) {
            yield page;
            next = page.at(-1)!.n + 1;
            if (signal.aborted) return;
          }
          next = Math.max(next, oldest);
        } else if (next < written) {
          const page = firstPage(kept.slice(next - oldest, written - oldest));
          yield page;
          next += page.length;
        } else if (next < count) {
          await writing;
        } else if (follower.progress.size > 0) {
          const page = [...follower.progress.values()];
          follower.progress.clear();
          yield page;
        } else if (!follow || ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            follower.wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
      followers.delete(follower);
    }
  }
}

/** It stands in the last lines, unless a very long round was under way. */
async function newestFinished(last: readonly Buffer[], file: string, disk: Disk): Promise<RunEvents['lastFinished']> {
  const found = last.findLast((line) => line.includes('"kind":"round-finished"'));
  if (found) return finishedIn(decodeEntry(JSON.parse(found.toString('utf8'))));
  let newest: RunEvents['lastFinished'];
  if (last.length > 0)
    for await (const page of readEntries(file, 0, disk)) for (const entry of page) newest = finishedIn(entry) ?? newest;
  return newest;
}

function finishedIn({ event }: RunEntry): RunEvents['lastFinished'] {
  return event.kind === 'round-finished' ? { round: event.round, final: event.final } : undefined;
}

/** Sites that one entry tells of. */
const mostSites = 1000;
/** Longest reason of one of them, characters. */
const shortReason = 300;

function bounded(event: RunEvent): RunEvent {
  switch (event.kind) {
    case 'round-finished':
      return { ...event, sites: event.sites.slice(0, mostSites).map(withShortReason) };
    case 'log':
      return { ...event, message: event.message.slice(0, longestText) };
    case 'site-failed':
    case 'site-lost':
      return { ...event, reason: event.reason.slice(0, longestText) };
    default:
      return event;
  }
}

function withShortReason<S extends { readonly reason?: string }>(site: S): S {
  return site.reason === undefined ? site : { ...site, reason: site.reason.slice(0, shortReason) };
}

function firstPage(entries: readonly RunEntry[]): readonly RunEntry[] {
  let bytes = 0;
  const end = entries.findIndex((entry) => {
    bytes += JSON.stringify(encodeEntry(entry)).length;
    return bytes > pageBytes;
  });
  return entries.slice(0, end < 0 ? pageEntries : Math.min(Math.max(1, end), pageEntries));
}

interface Follower {
  /** The newest of each site. */
  readonly progress: Map<string, RunEntry>;
  wake: () => void;
}

/** Pages of the entries in a file, from `from` on. A damaged line ends them, as its file ends. */
export async function* readEntries(file: string, from: number, disk: Disk): AsyncGenerator<readonly RunEntry[]> {
  let opened: Awaited<ReturnType<Disk['open']>>;
  try {
    opened = await disk.open(file, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw workspaceError('read', file, error);
  }
  try {
    let page: RunEntry[] = [];
    let bytes = 0;
    for await (const line of readLines(opened, longestEntry)) {
      if (!line.whole) break;
      const entry = decodeEntry(JSON.parse(line.bytes.toString('utf8')));
      if (entry.n < from) continue;
      page.push(entry);
      bytes += line.bytes.length;
      if (page.length < pageEntries && bytes < pageBytes) continue;
      yield page;
      page = [];
      bytes = 0;
    }
    if (page.length > 0) yield page;
  } finally {
    await opened.close();
  }
}
