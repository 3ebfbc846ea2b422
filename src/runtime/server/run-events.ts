/**
 * What happens in a run, for those who follow it: kept in a file, the newest also in memory. Followers read at their own pace,
 * so that a slow one costs no memory; progress is told to whoever listens at that moment and kept nowhere.
 *
 * @module
 */
import type { RunEvent } from '../../jobs/environment';
import { decodeEntry, encodeEntry, type RunEntry } from '../../protocol/run-event';
import { appendData, codeOf, workspaceError } from '../../util/atomic-file';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { lastLine } from '../../util/last-line';
import { readLines } from '../../util/read-lines';

export interface RunEvents {
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

/** Goes on where an earlier process ended; only the end of its file is read. */
export async function openRunEvents({ disk, clock, file }: RunEventsOptions): Promise<RunEvents> {
  const last = await lastLine(file, longestEntry, disk);
  let count = last === undefined ? 0 : decodeEntry(JSON.parse(last.toString('utf8'))).n + 1;
  const kept: RunEntry[] = [];
  let unwritten: RunEntry[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;
  let ended = false;
  const followers = new Set<Follower>();
  return {
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
      for (const { wake } of followers) wake();
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
    }
    for (const { wake } of followers) wake();
  }

  async function write(): Promise<void> {
    const entries = unwritten;
    unwritten = [];
    const lines = entries.map((entry) => `${JSON.stringify(encodeEntry(entry))}\n`);
    await appendData(file, lines.join(''), { disk }).catch((error: unknown) => {
      failure ??= error;
    });
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
        } else if (next < count) {
          const page = firstPage(kept.slice(next - oldest));
          yield page;
          next += page.length;
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

/** Sites that one entry tells of. */
const mostSites = 1000;

function bounded(event: RunEvent): RunEvent {
  if (event.kind !== 'round-finished' || event.sites.length <= mostSites) return event;
  return { ...event, sites: event.sites.slice(0, mostSites) };
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
