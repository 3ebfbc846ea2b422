/**
 * What the robust aggregators are worth: MRI translation between eight sites with different scanners, of which two send the
 * opposite of what they learnt, ten times over. Synthetic data.
 *
 *     npx ts-node bench/strategies/robust.ts [ROUNDS]
 *
 * prints a table of the SSIM of the last model on the validation slices, the mean over all sites, beside that of a run in which
 * nobody cheats. Bulyan promises something only from 4f + 3 sites on, 11 for f = 2: it stands in the table with the eight sites
 * and f = 1, which is less than there are, and with eleven sites and f = 2, beside a clean run of eleven.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isConsiliumError, MriTranslationRecipe, type MriTranslationRecipeOptions, SimEnv } from '../../src';
import { flipSign } from './flip-sign';

const wrongSites = ['site-3', 'site-6'] as const;
const factor = 10;

interface Row {
  readonly title: string;
  readonly sites: 8 | 11;
  readonly attacked: boolean;
  readonly strategy: NonNullable<MriTranslationRecipeOptions['strategy']>;
  readonly strategyOptions?: MriTranslationRecipeOptions['strategyOptions'];
  /** Whether its promise covers two wrong sites. */
  readonly covered: boolean;
}

const rows: readonly Row[] = [
  { title: 'FedAvg, nobody cheats', sites: 8, attacked: false, strategy: 'fedavg', covered: false },
  { title: 'FedAvg', sites: 8, attacked: true, strategy: 'fedavg', covered: false },
  { title: 'median', sites: 8, attacked: true, strategy: 'median', covered: true },
  {
    title: 'trimmed mean, 2 of 8 at either end',
    ...{ sites: 8, attacked: true, strategy: 'fedtrimmed', strategyOptions: { share: 0.25 }, covered: true },
  },
  { title: 'Krum, f = 2', sites: 8, attacked: true, strategy: 'krum', strategyOptions: { faulty: 2 }, covered: true },
  {
    title: 'multi-Krum, f = 2',
    ...{ sites: 8, attacked: true, strategy: 'multikrum', strategyOptions: { faulty: 2 }, covered: true },
  },
  {
    title: 'Bulyan, f = 1: one fewer than cheat',
    ...{ sites: 8, attacked: true, strategy: 'bulyan', strategyOptions: { faulty: 1 }, covered: false },
  },
  { title: 'FedAvg, nobody cheats', sites: 11, attacked: false, strategy: 'fedavg', covered: false },
  {
    title: 'Bulyan, f = 2',
    sites: 11,
    attacked: true,
    strategy: 'bulyan',
    strategyOptions: { faulty: 2 },
    covered: true,
  },
];

export interface RobustResult extends Pick<Row, 'title' | 'sites' | 'attacked' | 'covered'> {
  /** SSIM of the last model, the mean over all sites; `null` where the run ended in an error or the model gives no numbers. */
  readonly ssim: number | null;
  /** Below the clean run of as many sites. */
  readonly below: number | null;
  /** Of each round's model, the first before any training. */
  readonly course: readonly (number | null)[];
  readonly error?: string;
  readonly seconds: number;
}

/** Runs all rows, one after the other. */
export async function robust(rounds: number, told: (result: RobustResult) => void = () => {}): Promise<RobustResult[]> {
  const workspace = await mkdtemp(join(tmpdir(), 'consilium-robust-'));
  try {
    const results: RobustResult[] = [];
    for (const [i, row] of rows.entries()) {
      const { ssim, ...rest } = await runOf(row, rounds, join(workspace, String(i)));
      const { title, sites, attacked, covered } = row;
      const clean = attacked ? results.find((other) => !other.attacked && other.sites === sites)?.ssim : ssim;
      const below = typeof clean === 'number' && ssim !== null ? clean - ssim : null;
      results.push({ title, sites, attacked, covered, ssim, below, ...rest });
      told(results.at(-1)!);
    }
    return results;
  } finally {
    await rm(workspace, { recursive: true });
  }
}

async function runOf({ sites, attacked, strategy, strategyOptions }: Row, rounds: number, workspace: string) {
  const recipe = new MriTranslationRecipe({
    ...{ name: 'robust', strategy, nClients: sites },
    // Small, and a network that has learnt what it can by the end: a rule should be compared by where it ends, not by its pace.
    ...{ rounds, epochs: 2, batchSize: 4, learningRate: 0.01, base: 4 },
    data: { patientsPerSite: 4, shape: [48, 48, 16] },
    ...(strategyOptions && { strategyOptions }),
  });
  if (attacked) recipe.addFilter({ at: 'site-out', tasks: ['train'], sites: [...wrongSites] }, flipSign({ factor }));
  const started = performance.now();
  const course: (number | null)[] = [];
  const run = recipe.execute(new SimEnv({ workspace }));
  for await (const event of run.events()) {
    if (event.kind === 'round-finished') course.push(event.metrics.val_ssim ?? null);
  }
  const seconds = () => (performance.now() - started) / 1000;
  try {
    const { final } = await run.result();
    return { ssim: final.metrics.val_ssim ?? null, course, seconds: seconds() };
  } catch (error) {
    if (!isConsiliumError(error)) throw error;
    return { ssim: null, course, error: error.message.split('\n')[0]!, seconds: seconds() };
  }
}

function lineOf({ title, sites, attacked, covered, ssim, below, course, error, seconds }: RobustResult): string {
  const number = (value: number | null) => (value === null ? 'no number' : value.toFixed(4));
  const cells = [
    title,
    `${attacked ? wrongSites.length : 0} of ${sites}`,
    attacked ? (covered ? 'yes' : 'no') : '',
    number(ssim),
    attacked ? number(below) : '',
    error ?? course.map((value) => value?.toFixed(3) ?? '–').join(' '),
    `${Math.round(seconds)} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}

async function main([rounds = '12']: readonly string[]): Promise<void> {
  console.log('| aggregator | wrong sites | promised | SSIM | below the clean run | by round | time |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  await robust(Number(rounds), (result) => console.log(lineOf(result)));
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
}
