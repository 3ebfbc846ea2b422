/**
 * Milliseconds of a SegResNet training step and of inference: `npx ts-node bench/train.ts [--only NAME] [--json]`. Each row
 * runs in processes of its own; "2 × 1" are two processes at once with a thread each, as the simulator's slots are.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { initialise, segResNet } from '../src/nn/model';
import { openPredictor } from '../src/nn/predictor';
import { newTrainingState, openTrainer } from '../src/nn/trainer';
import { median } from './measure';

interface Task {
  readonly name: 'step' | 'inference';
  readonly spatial: readonly number[];
  readonly threads: number;
}

interface Row extends Task {
  readonly processes: number;
}

/** What one process measured. */
interface Measured {
  readonly openMs: number;
  readonly ms: number;
  readonly bestMs: number;
  readonly rssMb: number;
}

const REPEATS = 7;
const WARM_UP = 2;

const rows: readonly Row[] = [
  { name: 'step', spatial: [32, 32, 32] },
  { name: 'step', spatial: [64, 64, 64] },
  { name: 'inference', spatial: [64, 64, 48] },
].flatMap((task) =>
  [
    { threads: 1, processes: 1 },
    { threads: 2, processes: 1 },
    { threads: 1, processes: 2 },
  ].map((how) => ({ ...(task as Pick<Task, 'name' | 'spatial'>), ...how })),
);

/** One repetition of the task, ready to be timed. */
async function prepare({ name, spatial, threads }: Task): Promise<() => Promise<unknown>> {
  const model = segResNet();
  const voxels = spatial.reduce((product, n) => product * n, 1);
  const image = Float32Array.from({ length: 4 * voxels }, (_, i) => Math.sin(i));
  const inputShape = [1, 4, ...spatial];
  const weights = initialise(model, 0);
  if (name === 'inference') {
    const predictor = await openPredictor({ model, inputShape, threads });
    return () => predictor.run(weights, image);
  }
  const label = Float32Array.from({ length: 3 * voxels }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  const session = await openTrainer({
    model,
    loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true },
    optimiser: { kind: 'adam', weightDecay: 1e-5 },
    inputShape,
    labelShape: [1, 3, ...spatial],
    proximal: false,
    threads,
  });
  const state = newTrainingState(model, weights);
  return () => session.step(state, { image, label, learningRate: 1e-4, dropoutSeed: 0 });
}

async function measure(task: Task): Promise<Measured> {
  const started = performance.now();
  const run = await prepare(task);
  const openMs = performance.now() - started;
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + REPEATS; i++) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  const warm = times.slice(WARM_UP);
  return { openMs, ms: median(warm), bestMs: Math.min(...warm), rssMb: process.resourceUsage().maxRSS / 1024 };
}

/** The row's tasks at once, each in a process; the slowest counts. */
async function runRow({ processes, ...task }: Row): Promise<Measured> {
  const results = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = fork(__filename, [], { env: { ...process.env, CONSILIUM_BENCH_TASK: JSON.stringify(task) } });
      const [measured] = await once(child, 'message');
      return measured as Measured;
    }),
  );
  return results.reduce((worst, result) => (result.ms > worst.ms ? result : worst));
}

/** All rows, or those of one name. */
export async function train(only?: string): Promise<readonly object[]> {
  const table: object[] = [];
  for (const row of rows.filter(({ name }) => only === undefined || name === only)) {
    const { openMs, ms, bestMs, rssMb } = await runRow(row);
    const how = `${row.processes} × ${row.threads}`;
    const [open, median, best, peak] = [openMs, ms, bestMs, rssMb].map(Math.round);
    table.push({ network: 'segresnet', name: row.name, input: row.spatial.join('×'), how, open, median, best, peak });
  }
  return table;
}

async function main(words: readonly string[]): Promise<void> {
  const at = words.indexOf('--only');
  const table = await train(at < 0 ? undefined : words[at + 1]);
  if (words.includes('--json')) console.log(JSON.stringify(table));
  else console.table(table);
}

const task = process.env.CONSILIUM_BENCH_TASK;
if (task !== undefined) void measure(JSON.parse(task) as Task).then((measured) => process.send?.(measured));
else if (require.main === module) void main(process.argv.slice(2));
