/**
 * Milliseconds and peak memory of training steps and inference, ours and PyTorch's in turn:
 * `npm run bench -- train [--only TEXT] [--provider NAME] [--json FILE]`. The ratio is what counts: the machine may be busy with other things.
 */
import { writeFileSync } from 'node:fs';
import { median } from '../measure';
import { type Contender, findTorch, type Repetition, startOurs, startPeer } from './contender';
import { matches, type Row, rows, titleOf } from './rows';

const WARM_UP = 1;
const REPEATS = 5;

/** Idle threads of one contender spin for a while, which would slow the other. */
const PAUSE_MS = 200;

interface Figures {
  readonly ms: number;
  readonly rss_mb: number;
}

interface Result extends Figures {
  readonly network: string;
  readonly input: string;
  readonly threads: number;
  /** Where ours ran, when not on the CPU. */
  readonly provider?: string;
  /** Milliseconds to build the graph and open the session. */
  readonly open_ms: number;
  readonly peer: (Figures & { readonly name: string; readonly version: string }) | null;
  /** Ours divided by the peer's milliseconds. */
  readonly ratio: number | null;
}

/**
 * The rows that match `only`, all by default: see {@link matches}.
 *
 * @param provider where ours runs
 * @throws Error listing the rows when none does
 */
export async function train(only = '', provider?: string): Promise<readonly Result[]> {
  const chosen = rows.filter((row) => matches(row, only));
  if (chosen.length === 0) {
    throw new Error(`--only ${only}: no row has this in its title; the rows are\n  ${rows.map(titleOf).join('\n  ')}`);
  }
  const python = findTorch();
  if (!python) console.error('No python3 with torch (CONSILIUM_BENCH_PYTHON names another): ours alone is measured.');
  const results: Result[] = [];
  for (const row of chosen) results.push(await measure({ ...row, ...(provider && { provider }) }, python));
  return results;
}

async function measure(row: Row, python: string | undefined): Promise<Result> {
  const ours = await startOurs(row);
  const peer = row.peer && python ? await startPeer(python, row) : undefined;
  const contenders = peer ? [ours, peer] : [ours];
  const runs = contenders.map((): Repetition[] => []);
  for (let i = 0; i < WARM_UP + REPEATS; i++) {
    for (const [j, contender] of contenders.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      runs[j]!.push(await contender.repeat());
    }
  }
  await Promise.all(contenders.map((contender) => contender.close()));
  const [mine, its] = runs.map(figures);
  return {
    network: row.network,
    input: row.input.join('x'),
    threads: row.threads,
    ...(row.provider && { provider: row.provider }),
    open_ms: Math.round(ours.hello.openMs),
    ...mine!,
    peer: peer ? peerOf(peer, its!) : null,
    ratio: its ? Math.round((1000 * mine!.ms) / its.ms) / 1000 : null,
  };
}

function figures(runs: readonly Repetition[]): Figures {
  const warm = runs.slice(WARM_UP);
  return { ms: Math.round(median(warm.map(({ ms }) => ms))), rss_mb: Math.round(runs.at(-1)!.rssMb) };
}

function peerOf({ hello: { name, version } }: Contender, measured: Figures) {
  return { name, version, ...measured };
}

/** For a terminal: one line a row. */
export function printTrain(results: readonly Result[]): void {
  console.table(
    results.map(({ peer, ...row }) => ({ ...row, peer_ms: peer?.ms, peer_rss_mb: peer?.rss_mb, peer: peer?.version })),
  );
}

export interface TrainFlags {
  readonly only?: string;
  readonly provider?: string;
  readonly json?: string;
}

export async function trainCommand({ only, provider, json }: TrainFlags): Promise<void> {
  const results = await train(only, provider);
  printTrain(results);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
}
