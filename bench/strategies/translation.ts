/**
 * Strategies against each other on the synthetic heads of sites with different scanners, same budget:
 *
 *     npx ts-node bench/strategies/translation.ts WORKSPACE [--seeds 3] [--strategies fedavg,fedbadam] [--rounds 24] …
 *
 * prints a line a run and a table: the mean SSIM over the sites' validation slices after the last round, and its wobble, the
 * deviation of its change from round to round over the second half of the run.
 */
import { parseArgs } from 'node:util';
import { MriTranslationRecipe, type MriTranslationRecipeOptions, type RunResult, SimEnv } from '../../src';
import { type StrategyName, strategyTakes } from '../../src/recipes/strategies';
import { wobbleOf } from '../../src/tracking/comparison';

interface Row {
  readonly strategy: string;
  readonly seed: number;
  /** After the last round. */
  readonly ssim: number;
  readonly best: number;
  readonly wobble: number;
  readonly seconds: number;
  /** Before each round and after the last. */
  readonly curve: readonly number[];
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '3' },
    strategies: { type: 'string', default: 'fedavg,fedprox,fedbadam,centralized' },
    rounds: { type: 'string', default: '24' },
    epochs: { type: 'string', default: '2' },
    batch: { type: 'string', default: '8' },
    base: { type: 'string', default: '8' },
    rate: { type: 'string', default: '0.01' },
    'server-rate': { type: 'string' },
    patients: { type: 'string', default: '6' },
    shape: { type: 'string', default: '48x48x16' },
    sites: { type: 'string', default: '4' },
  },
});

async function main(): Promise<void> {
  const [workspace] = positionals;
  if (workspace === undefined) throw new Error('Name a workspace.');
  const rows: Row[] = [];
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    for (const strategy of values.strategies.split(',')) {
      const row = await measure(workspace, strategy, seed);
      rows.push(row);
      console.log(JSON.stringify(row));
    }
  }
  console.log(table(rows));
}

async function measure(workspace: string, strategy: string, seed: number): Promise<Row> {
  const recipe = new MriTranslationRecipe({ ...optionsOf(strategy), name: `${strategy}_${seed}`, seed });
  const result = await recipe.execute(new SimEnv({ workspace })).result();
  const curve = curveOf(result);
  const { seconds, best } = result;
  return {
    strategy,
    seed,
    ssim: curve.at(-1)!,
    best: best.metrics.val_ssim!,
    wobble: wobbleOf(curve) ?? Number.NaN,
    seconds,
    curve,
  };
}

function optionsOf(strategy: string): MriTranslationRecipeOptions {
  const rate = values['server-rate'];
  const isCentral = strategy === 'centralized';
  const hasRate = !isCentral && strategyTakes(strategy as StrategyName).includes('serverLearningRate');
  return {
    ...(isCentral ? { centralized: true } : { strategy: strategy as StrategyName }),
    ...(rate !== undefined && hasRate && { strategyOptions: { serverLearningRate: Number(rate) } }),
    nClients: Number(values.sites),
    rounds: Number(values.rounds),
    epochs: Number(values.epochs),
    batchSize: Number(values.batch),
    learningRate: Number(values.rate),
    base: Number(values.base),
    data: { patientsPerSite: Number(values.patients), shape: shapeOf(values.shape) },
  };
}

function shapeOf(text: string): readonly [number, number, number] {
  const [x, y, z] = text.split('x').map(Number);
  return [x!, y!, z!];
}

function curveOf({ history }: RunResult): number[] {
  return history.map(({ metrics }) => metrics.val_ssim ?? Number.NaN);
}

function spread(numbers: readonly number[]) {
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  return { mean, deviation: Math.sqrt(variance) };
}

function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.map(({ strategy }) => strategy))];
  const lines = names.map((name) => {
    const own = rows.filter(({ strategy }) => strategy === name);
    const { mean, deviation } = spread(own.map(({ ssim }) => ssim));
    const wobble = spread(own.map((row) => row.wobble)).mean;
    return `${name.padEnd(12)} ${mean.toFixed(4)} ± ${deviation.toFixed(4)}   ${wobble.toFixed(4)}`;
  });
  return ['strategy     mean SSIM         wobble', ...lines].join('\n');
}

main().catch((error: Error) => {
  console.error(error);
  process.exitCode = 1;
});
