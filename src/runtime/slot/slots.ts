/**
 * The slots of a simulation and the sites they train. A site stays with its slot, so its state stays in one place.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import type { RunEvent } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import type { Task, Update } from '../../protocol/messages';
import { type NamedTensors, sizeInBytes } from '../../tensor/tensor';
import type { SiteLink } from '../../transport/in-memory';
import { collectGarbage } from '../../util/collect-garbage';
import { freeArraysInPlace } from '../../util/free-arrays';
import { type Slot, startSlot } from './slot';
import type { Picture, SlotSite } from './slot-messages';

export interface SlotsOptions {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly folder: string;
  readonly sites: readonly SlotSite[];
  /** Number of slots, at most the number of sites. */
  readonly threads: number;
  readonly testNoiseSeed: number | undefined;
  readonly emit: (event: RunEvent) => void;
}

export interface Slots {
  readonly count: number;
  readonly sessionThreads: number;
  /** The last failure of each site, in full. It stays on this machine; the workflow is told a summary. */
  readonly failures: ReadonlyMap<string, Error>;
  /** One link a site, in the order of the job. */
  readonly links: readonly SiteLink[];
  pictures(site: string, model: NamedTensors, count: number, signal: AbortSignal): Promise<readonly Picture[]>;
  close(): Promise<void>;
}

/**
 * Cores divided by slots: more threads than cores is the worst thing one can do to onnxruntime. Up to eight threads its sums
 * are the same to the last bit.
 */
export function defaultSessionThreads(slots: number): number {
  return Math.min(8, Math.max(1, Math.floor(availableParallelism() / slots)));
}

/** The engine of JavaScript does not see how large a dead piece of shared memory is. */
const mostUnreleased = 256 * 2 ** 20;

export function startSlots({ job, folder, sites, threads, testNoiseSeed, emit }: SlotsOptions): Slots {
  freeArraysInPlace();
  const sitesOf = (slot: number) => sites.filter((_, i) => i % threads === slot);
  const sessionThreads = job.engine.sessionThreads ?? defaultSessionThreads(threads);
  const slots = Array.from({ length: threads }, (_, index) =>
    startSlot({
      setup: { job, folder, sessionThreads, testNoiseSeed, sites: sitesOf(index) },
      onProgress: (site, round, { phase, done, total, loss }) =>
        emit({ kind: 'progress', site, round, phase, done, total, loss }),
      onLog: (site, level, message) => emit({ kind: 'log', level, site, message }),
      onLost: (reason) => {
        for (const { name } of sitesOf(index)) emit({ kind: 'site-lost', site: name, reason });
      },
    }),
  );
  /** Bytes of updates that came since the last collection and were not given back. */
  let unreleased = 0;
  const failures = new Map<string, Error>();
  const slotOf = new Map<string, Slot>(sites.map(({ name }, i) => [name, slots[i % threads]!]));
  return {
    count: threads,
    sessionThreads,
    failures,
    links: sites.map(({ name }) => ({
      name,
      run: (task, signal) => run(name, task, signal),
      release: (update) => {
        unreleased -= sizeInBytes(update.payload.tensors);
        slotOf.get(name)!.release(update);
      },
    })),
    pictures: (site, model, count, signal) => slotOf.get(site)!.pictures(site, model, count, signal),
    async close() {
      await Promise.all(slots.map((slot) => slot.close()));
    },
  };

  async function run(site: string, task: Task, signal: AbortSignal): Promise<Update> {
    try {
      const update = await slotOf.get(site)!.run(site, task, signal);
      unreleased += sizeInBytes(update.payload.tensors);
      if (unreleased > mostUnreleased) {
        collectGarbage();
        unreleased = 0;
      }
      return update;
    } catch (error) {
      if (!signal.aborted && error instanceof Error) {
        failures.set(site, error);
        emit({ kind: 'log', level: 'warn', site, message: error.message });
      }
      throw error;
    }
  }
}
