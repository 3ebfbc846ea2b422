/**
 * Many sites of a 1-million-parameter model that nobody trains, in a process of their own:
 *
 *     npx ts-node bench/scale/many-sites.ts WORKSPACE SITES ROUNDS
 *
 * prints what the run took as JSON. The server is the main thread and the sites run in worker threads, so that the process
 * holds both: `peakRssMiB` is all of it, `peakServerMiB` the heap and the buffers of the main thread.
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { noopTrainer } from './noop-trainer';

export interface ManySites {
  readonly sites: number;
  readonly rounds: number;
  readonly seconds: number;
  /** The whole run, its start and report included, divided by rounds and sites. */
  readonly msPerSiteAndRound: number;
  /** From the end of the first round to the end of the last, divided likewise. */
  readonly steadyMsPerSiteAndRound: number;
  /** Above what the process held when the run was started. */
  readonly peakRssMiB: number;
  readonly peakServerMiB: number;
}

const MiB = 2 ** 20;

async function measure(workspace: string, sites: number, rounds: number): Promise<ManySites> {
  const recipe = new FedAvgRecipe({
    name: 'many-sites',
    sites,
    rounds,
    model: { kind: 'tensors', tensors: { weight: [1000, 1000] } },
    trainer: noopTrainer({}),
    folder: __dirname,
  });
  const before = { rss: process.memoryUsage.rss(), server: serverBytes() };
  let server = before.server;
  const sampling = setInterval(() => {
    server = Math.max(server, serverBytes());
  }, 20);
  const started = performance.now();
  const ends: number[] = [];
  const run = recipe.execute(new SimEnv({ workspace }));
  for await (const event of run.events()) {
    if (event.kind === 'round-finished' && !event.final) ends.push(performance.now());
  }
  await run.result();
  const milliseconds = performance.now() - started;
  clearInterval(sampling);
  return {
    sites,
    rounds,
    seconds: milliseconds / 1000,
    msPerSiteAndRound: milliseconds / sites / rounds,
    steadyMsPerSiteAndRound: (ends.at(-1)! - ends[0]!) / sites / (rounds - 1),
    peakRssMiB: (peakRss() - before.rss) / MiB,
    peakServerMiB: (server - before.server) / MiB,
  };
}

function serverBytes(): number {
  const { heapTotal, external } = process.memoryUsage();
  return heapTotal + external;
}

/** The most that this process has held, bytes. */
function peakRss(): number {
  return 1024 * process.resourceUsage().maxRSS;
}

async function main([workspace, sites, rounds]: readonly string[]): Promise<void> {
  process.stdout.write(JSON.stringify(await measure(workspace!, Number(sites), Number(rounds))));
}

void main(process.argv.slice(2));
