/**
 * The job of the chaos tests, and what it comes to when nothing goes wrong.
 *
 * @module
 */
import { join } from 'node:path';
import { SimEnv } from '../../src';
import type { RunResult } from '../../src/jobs/environment';
import { type JobSpec, parseJob } from '../../src/jobs/job-spec';

export interface ToyJob {
  readonly name: string;
  /** Where its files lie, and where the trainer writes a line for each training. */
  readonly place: string;
  readonly sites: readonly string[];
  readonly rounds?: number;
  /** Numbers in the model, 4 bytes each. @default 1000 */
  readonly parameters?: number;
  /** Of one training. @default 100 */
  readonly trainMs?: number;
  readonly how?: 'sleep' | 'spin';
  /** More of the workflow. */
  readonly workflow?: object;
  /** More of what the trainer of each site finds. */
  readonly siteConfig?: object;
  /** More of what it finds at one site. */
  readonly configOf?: Readonly<Record<string, object>>;
  /** More of the job. */
  readonly more?: object;
}

export function toyJob({ name, place, sites, rounds = 5, ...options }: ToyJob): JobSpec {
  const { parameters = 1000, trainMs = 100, how = 'sleep', workflow, siteConfig, configOf, more } = options;
  return parseJob({
    version: 1,
    name,
    sites: [...sites],
    workflow: {
      kind: 'fed-avg',
      rounds,
      minSites: sites.length,
      roundDeadlineSeconds: 120,
      keyMetric: 'score',
      ...workflow,
    },
    model: { kind: 'tensors', tensors: { w: [parameters] }, start: 'zeros' },
    trainer: { kind: 'script', script: './toy-client.js', args: [String(trainMs), how, trainingLog(place, name)] },
    siteConfig: Object.fromEntries(
      sites.map((site, i) => [site, { target: i + 1, ...siteConfig, ...configOf?.[site] }]),
    ),
    ...more,
  });
}

/** Lines `<site> <round>`, one for each training that began. */
export function trainingLog(place: string, job: string): string {
  return join(place, `${job}.trainings`);
}

/** By job and who took part. */
const known = new Map<string, string>();
let simulations = 0;

/** SHA-256 of the final model in the simulator, when just the sites of `history` take part in each round. */
export async function undisturbedModel(toy: ToyJob, history: RunResult['history']): Promise<string> {
  const { place, sites, workflow, configOf } = toy;
  const absent = (site: string) =>
    history.filter(({ final, sites: took }) => !final && took.find(({ name }) => name === site)?.status !== 'ok');
  const configs = Object.fromEntries(
    sites.map((site) => [
      site,
      { ...configOf?.[site], fault: undefined, absent: absent(site).map(({ round }) => round) },
    ]),
  );
  const key = JSON.stringify([{ ...toy, name: '', place: '', workflow }, configs]);
  const before = known.get(key);
  if (before !== undefined) return before;
  const spec = toyJob({
    ...toy,
    name: `simulated-${++simulations}`,
    trainMs: 0,
    // It waits for everybody, however slow this machine is just now.
    workflow: { ...workflow, graceSeconds: undefined, roundDeadlineSeconds: 300 },
    configOf: JSON.parse(JSON.stringify(configs)),
  });
  const run = new SimEnv({ workspace: join(place, 'simulated') }).run(spec, { folder: place });
  const { finalModelSha256 } = await run.result();
  known.set(key, finalModelSha256);
  return finalModelSha256;
}
