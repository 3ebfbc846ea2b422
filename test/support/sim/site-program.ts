/** A small run of one site on a simulated disk: its training keeps a state, and its filter spends privacy. */
import type { Executor } from '../../../src/executors/executor';
import { createSite } from '../../../src/executors/site';
import type { Filter } from '../../../src/filters/filter';
import { seededTestNoise } from '../../../src/privacy/seeded-test-noise';
import { siteLedger } from '../../../src/runtime/site-ledger';
import { siteStateStore } from '../../../src/runtime/site-store';
import { noteStateFile, writeStateFile } from '../../../src/runtime/state-file';
import { removeTemporaryFiles } from '../../../src/util/atomic-file';
import type { Disk } from '../../../src/util/disk';
import { modelOf, numbersOf } from '../workflow-rig';

/** What the world outside of the site knows: it outlives every crash. */
export interface SiteWorld {
  /** What the site has answered, by round: the sum of these is the model. */
  readonly answers: number[][];
  /** Calls of the filter that were booked before their update could leave. */
  charged: number;
  readonly warnings: string[];
}

export function newSiteWorld(): SiteWorld {
  return { answers: [], charged: 0, warnings: [] };
}

export const siteFolder = '/work/site-1';
/** ε of one call: sums of it are exact. */
export const epsilonOfCall = 0.25;

export interface SiteEnd {
  readonly answers: readonly (readonly number[])[];
  /** What the ledger holds at the end. */
  readonly spent: number;
}

/** Starts the site, or starts it again: it is asked for those of the first rounds that it has not answered. */
export async function siteProgram(disk: Disk, world: SiteWorld, rounds = 5): Promise<SiteEnd> {
  await removeTemporaryFiles(siteFolder, disk);
  const ledger = await siteLedger(siteFolder, 'site-1', disk);
  if (ledger.spent('noise') < world.charged * epsilonOfCall) world.warnings.push('a charge is gone');
  const site = createSite({
    name: 'site-1',
    executor: toyTrainer(),
    filtersIn: [],
    filtersOut: [{ filter: spendingFilter(world), tasks: undefined, sites: undefined }],
    store: siteStateStore(siteFolder, write, { disk, warn: (message) => world.warnings.push(message) }),
    ledger,
    noise: (round) => seededTestNoise(round),
  });
  while (world.answers.length < rounds) {
    const round = world.answers.length;
    const model = modelOf(...[0, 1].map((i) => world.answers.reduce((sum, answer) => sum + answer[i]!, i)));
    const context = { signal: new AbortController().signal, progress: () => {} };
    const { update, durable } = await site.run({ kind: 'train', round, model }, context);
    await durable;
    world.answers.push(numbersOf(update.payload.tensors));
  }
  return { answers: world.answers, spent: ledger.spent('noise') };

  async function write(path: string, parts: readonly Uint8Array[], superseded: string | undefined): Promise<void> {
    await writeStateFile(path, parts, disk);
    await noteStateFile(path, superseded, disk);
  }
}

/** Its state is a moving average of the models that it has seen: a round that starts from another state answers otherwise. */
function toyTrainer(): Executor {
  let state = modelOf(0, 0);
  return {
    async execute({ model }) {
      const seen = numbersOf(model);
      state = modelOf(...numbersOf(state).map((old, i) => 0.5 * old + 0.25 * seen[i]! + 1));
      const payload = { kind: 'weight-diff', tensors: state, metrics: {}, steps: 1 } as const;
      return { payload, seconds: { validate: 0, train: 0 } };
    },
    state: () => state,
    restore: (saved) => {
      state = saved ?? modelOf(0, 0);
    },
  };
}

/** Books its cost; noise would change nothing here. */
function spendingFilter(world: SiteWorld): Filter {
  return {
    name: 'noise',
    accepts: ['weight-diff'],
    async apply(payload, { charge }) {
      const cost = { mechanism: 'toy', epsilon: epsilonOfCall, delta: 0, unit: 'one update', details: {} };
      await charge('noise', { ...cost, differentiallyPrivate: true });
      world.charged++;
      return payload;
    },
  };
}
