/** A small run of the server on a simulated disk: three sites, three rounds, a model of two numbers. */
import type { Task, Update } from '../../../src/protocol/messages';
import type { Sites } from '../../../src/protocol/sites';
import { updateFileParts } from '../../../src/protocol/update-file';
import { Brats18Recipe } from '../../../src/recipes/brats18-recipe';
import { checkpointStore } from '../../../src/runtime/checkpoint';
import { modelDigest } from '../../../src/runtime/model-digest';
import { freshStart, runServer } from '../../../src/runtime/server-run';
import { inMemorySites } from '../../../src/transport/in-memory';
import { removeFile, removeTemporaryFiles, writeFileAtomic } from '../../../src/util/atomic-file';
import { type Clock, nodeClock } from '../../../src/util/clock';
import type { Disk } from '../../../src/util/disk';
import { sha256Of } from '../../../src/util/sha256';
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
const spoolFolder = `${runFolder}/spool`;
const { job } = new Brats18Recipe({ nClients: 3, rounds: 3 });

export interface ServerProgramOptions {
  readonly signal: AbortSignal;
  /** Whether updates come in files, as from a federation, or in memory. @default false */
  readonly spools?: boolean | undefined;
}

/** Starts the server, or starts it again, and returns the digest of the final model. */
export async function serverProgram(
  disk: Disk,
  world: ServerWorld,
  { signal, spools = false }: ServerProgramOptions,
): Promise<string> {
  const warn = (message: string) => void world.warnings.push(message);
  const store = checkpointStore(`${runFolder}/checkpoint`, { disk, keepAll: true, warn });
  await removeTemporaryFiles(runFolder, disk);
  await removeFile(spoolFolder, disk); // What was not taken over was not acknowledged.
  const start = await store.load(warn);
  if ((start?.history.length ?? -1) < world.saved) warn('a checkpoint that was on disk is gone');
  const first = start ?? freshStart('hash', modelOf(1, -1));
  if (!start) await store.save(first);
  world.saved = Math.max(world.saved, first.history.length);
  const sites = inMemorySites(job.sites.map((name, i) => siteOf(name, (task) => answer(i, name, task))));
  const last = await runServer({
    job,
    jobHash: 'hash',
    start: first,
    sites: spools ? spoolingSites(sites, disk) : sites,
    store: {
      load: store.load,
      async save(checkpoint) {
        const saved = await store.save(checkpoint);
        world.saved = saved.history.length;
        return saved;
      },
      journal: {
        ...store.journal,
        // A site that asks what became of its update is told the same of one that was found.
        async *accepted(...of) {
          for await (const update of store.journal.accepted(...of)) {
            world.acknowledged.add(nameOf(update));
            yield update;
          }
        },
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

/** The sites, whose updates lie in files once they have come. */
function spoolingSites(sites: Sites, disk: Disk): Sites {
  return {
    names: sites.names,
    async *broadcast(task, names, options) {
      for await (const answer of sites.broadcast(task, names, options)) {
        if (answer.status !== 'ok') yield answer;
        else yield { ...answer, spooled: await spool(answer.update, modelDigest(task.model), disk) };
      }
    },
  };
}

async function spool(update: Update, model: string, disk: Disk): Promise<string> {
  const parts = updateFileParts(update, model);
  const file = `${spoolFolder}/${sha256Of(...parts)}`;
  await writeFileAtomic(file, parts, { disk });
  return file;
}

function nameOf({ site, task, round }: Pick<Update, 'site' | 'task' | 'round'>): string {
  return `${site} ${task} ${round}`;
}
