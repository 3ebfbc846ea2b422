/**
 * Virtual time. Events happen in the order of their times, those of one time in the order in which they were planned, and
 * between two events all promises settle. So days pass in milliseconds, and the same events happen in the same order again.
 *
 * What runs on it must wait for nothing but these events: no files, no timers of Node, no worker.
 *
 * @module
 */
import type { Clock } from '../../../src/util/clock';

export interface SimTime {
  /** Milliseconds since the simulation began. */
  readonly nowMs: number;
  /** Events that happened so far. */
  readonly events: number;
  /** Plans an event; one in the past happens next. @returns takes it back. */
  at(timeMs: number, act: () => void): () => void;
  /** Lets events happen until `done`. @throws Error when nothing is left to happen, or after `limitMs` (default: a day). */
  run(done: () => boolean, limitMs?: number): Promise<void>;
  /** Lets time pass. */
  runFor(ms: number): Promise<void>;
  /** Lets events happen until the promise settles, and returns or throws what it does. */
  settle<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
}

interface Planned {
  readonly timeMs: number;
  readonly order: number;
  act: (() => void) | undefined;
}

const dayMs = 24 * 3600 * 1000;

export function simTime(): SimTime {
  const heap: Planned[] = [];
  let nowMs = 0;
  let order = 0;
  let events = 0;

  function at(timeMs: number, act: () => void): () => void {
    const planned: Planned = { timeMs: Math.max(timeMs, nowMs), order: order++, act };
    push(heap, planned);
    return () => {
      planned.act = undefined;
    };
  }

  /** The next event that was not taken back stands on top. */
  function next(): Planned | undefined {
    while (heap[0] !== undefined && heap[0].act === undefined) pop(heap);
    return heap[0];
  }

  async function step(): Promise<void> {
    const { timeMs, act } = pop(heap);
    nowMs = timeMs;
    events++;
    act?.();
    await promisesSettled();
  }

  async function run(done: () => boolean, limitMs = dayMs): Promise<void> {
    const endMs = nowMs + limitMs;
    await promisesSettled();
    while (!done()) {
      const event = next();
      if (event === undefined) throw new Error(`Nothing is left to happen at ${nowMs} ms, and it is not done.`);
      if (event.timeMs > endMs) throw new Error(`It is not done after ${limitMs} ms.`);
      await step();
    }
  }

  async function runFor(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    await promisesSettled();
    for (let event = next(); event !== undefined && event.timeMs <= endMs; event = next()) await step();
    nowMs = endMs;
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get events() {
      return events;
    },
    at,
    run,
    runFor,
    async settle(promise, limitMs) {
      let settled = false;
      const end = () => {
        settled = true;
      };
      promise.then(end, end);
      await run(() => settled, limitMs);
      return promise;
    },
  };
}

/** Node runs an immediate only after all promises that can settle have settled. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A process in virtual time: what it planned and what reaches it stops with it. */
export interface SimProcess {
  readonly clock: Clock;
  readonly alive: boolean;
  /** Something reaches the process from outside: when it can run next, after its timers, as in Node. */
  deliver(act: () => void): void;
  /** It cannot run for a while: its timers and what reaches it are late. */
  block(ms: number): void;
  /** Stops it until `thaw`, as SIGSTOP does. */
  freeze(): void;
  thaw(): void;
  /** Ends it: nothing of it runs any more. `ended` hears of it. */
  kill(): void;
  ended(hear: () => void): void;
  /** Somebody sets the clock on the wall. */
  jumpWall(ms: number): void;
}

export interface SimProcessOptions {
  /** What the clock on the wall shows at the start of the simulation. Default: the first second of 2026. */
  readonly wallMs?: number;
}

export function simProcess(time: SimTime, { wallMs = Date.UTC(2026, 0, 1) }: SimProcessOptions = {}): SimProcess {
  let alive = true;
  let wall = wallMs;
  /** It runs again from here on. */
  let blockedUntilMs = 0;
  const hearers: (() => void)[] = [];

  /** Runs `act` at a time, or once the process can run: `laterMs` after its timers. */
  function plan(timeMs: number, laterMs: number, act: () => void): () => void {
    let cancel = time.at(timeMs, arrive);
    return () => cancel();

    function arrive(): void {
      if (!alive) return;
      if (blockedUntilMs <= time.nowMs) act();
      else if (blockedUntilMs < Number.POSITIVE_INFINITY) cancel = time.at(blockedUntilMs + laterMs, arrive);
      else waiting.push({ laterMs, arrive });
    }
  }

  const waiting: { readonly laterMs: number; readonly arrive: () => void }[] = [];

  return {
    clock: {
      monotonicMs: () => time.nowMs,
      wallMs: () => wall + time.nowMs,
      after: (delayMs, act) => plan(time.nowMs + delayMs, 0, act),
    },
    get alive() {
      return alive;
    },
    deliver: (act) => void plan(time.nowMs, ioLaterMs, act),
    block(ms) {
      blockedUntilMs = Math.max(blockedUntilMs, time.nowMs + ms);
    },
    freeze() {
      blockedUntilMs = Number.POSITIVE_INFINITY;
    },
    thaw() {
      blockedUntilMs = time.nowMs;
      for (const { laterMs, arrive } of waiting.splice(0)) time.at(time.nowMs + laterMs, arrive);
    },
    kill() {
      alive = false;
      for (const hear of hearers.splice(0)) hear();
    },
    ended: (hear) => void hearers.push(hear),
    jumpWall(ms) {
      wall += ms;
    },
  };
}

/** After a pause, a process of Node runs its timers before it reads what came meanwhile. */
const ioLaterMs = 0.001;

function isBefore(a: Planned, b: Planned): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}

function push(heap: Planned[], planned: Planned): void {
  let at = heap.length;
  heap.push(planned);
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!isBefore(planned, heap[above]!)) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = planned;
}

/** Takes the first one; the heap is not empty. */
function pop(heap: Planned[]): Planned {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
    if (!isBefore(heap[below]!, last)) break;
    heap[at] = heap[below]!;
    at = below;
  }
  heap[at] = last;
  return first;
}
