/** A small run of the server on a simulated disk: three sites, three rounds, a model of two numbers. */
import type { Task, Update } from '../../../src/protocol/messages';
import { Brats18Recipe } from '../../../src/recipes/brats18-recipe';
import { checkpointStore } from '../../../src/runtime/checkpoint';
import { modelDigest } from '../../../src/runtime/model-digest';
import { freshStart, runServer } from '../../../src/runtime/server-run';
import { inMemorySites } from '../../../src/transport/in-memory';
import { removeTemporaryFiles } from '../../../src/util/atomic-file';
import { type Clock, nodeClock } from '../../../src/util/clock';
import type { Disk } from '../../../src/util/disk';
import { modelOf, numbersOf, siteOf, updateOf } from '../workflow-rig';

/** What the world outside of the server knows: it outlives every crash. */
export interface ServerWorld {
  /** Updates that the server has said it keeps, as `<site> <task> <round>`. */
  readonly acknowledged: Set<string>;
  /** What sites were asked after that was said. */
  readonly askedAgain: string[];
  /** Lines of the last checkpoint that was said to be on disk; -1 for none. */
  saved: number;
  readonly warnings: string[];
}

export function newWorld(): ServerWorld {
  return { acknowledged: new Set(), askedAgain: [], saved: -1, warnings: [] };
}

/** Time that stands still, so that two runs write the same bytes. */
const stoppedClock: Clock = { ...nodeClock, monotonicMs: () => 0, wallMs: () => 0 };

export const runFolder = '/work/run';
const { job } = new Brats18Recipe({ nClients: 3, rounds: 3 });

/** Starts the server, or starts it again, and returns the digest of the final model. */
export async function serverProgram(disk: Disk, world: ServerWorld, signal: AbortSignal): Promise<string> {
  const warn = (message: string) => void world.warnings.push(message);
  const store = checkpointStore(`${runFolder}/checkpoint`, { disk, keepAll: true, warn });
  await removeTemporaryFiles(runFolder, disk);
  const start = await store.load(warn);
  if ((start?.history.length ?? -1) < world.saved) warn('a checkpoint that was on disk is gone');
  const first = start ?? freshStart('hash', modelOf(1, -1));
  if (!start) await store.save(first);
  world.saved = Math.max(world.saved, first.history.length);
  const last = await runServer({
    job,
    jobHash: 'hash',
    start: first,
    sites: inMemorySites(job.sites.map((name, i) => siteOf(name, (task) => answer(i, name, task)))),
    store: {
      load: store.load,
      async save(checkpoint) {
        await store.save(checkpoint);
        world.saved = checkpoint.history.length;
      },
      journal: {
        ...store.journal,
        async record(update, model, more) {
          await store.journal.record(update, model, more);
          world.acknowledged.add(nameOf(update));
        },
      },
    },
    onLine: async () => {},
    loadModel: async () => new Map(),
    emit: () => {},
    clock: stoppedClock,
    signal,
  });
  return modelDigest(last.model);

  function answer(i: number, name: string, task: Task) {
    const what = nameOf(updateOf(name, task, {}));
    if (world.acknowledged.has(what)) world.askedAgain.push(what);
    const [a, b] = numbersOf(task.model) as [number, number];
    const metrics = { val_dice: 0.1 * task.round, train_loss: a };
    if (task.kind !== 'train') return { metrics };
    const tensors = modelOf(b / (i + 2), a * 0.3 + i);
    return { kind: 'weight-diff', tensors, metrics, steps: i + 1 } as const;
  }
}

function nameOf({ site, task, round }: Pick<Update, 'site' | 'task' | 'round'>): string {
  return `${site} ${task} ${round}`;
}
