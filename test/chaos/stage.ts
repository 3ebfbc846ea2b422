/**
 * A federation and the jobs that a test runs in it, with what a test waits for, and what must be true at the end whatever was
 * done to the processes.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { ProdEnv } from '../../src';
import type { Run, RunEvent, RunResult } from '../../src/jobs/environment';
import { verifyAudit } from '../../src/runtime/audit';
import { nodeDisk } from '../../src/util/node-disk';
import { type ChaosFederation, type ChaosOptions, chaosFederation } from './chaos-federation';
import { type ToyJob, toyJob, trainingLog, undisturbedModel } from './toy-job';

export interface AuditRecord {
  readonly time: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Stage extends ChaosFederation {
  /** Submits a job. */
  submit(toy?: Partial<ToyJob>): Course;
  /** What the server's audit log says so far. */
  audit(): readonly AuditRecord[];
  /** Resolves with the first record of the audit log that fits. */
  audited(fits: (record: AuditRecord) => boolean): Promise<AuditRecord>;
}

/** A job under way. */
export interface Course {
  readonly toy: ToyJob;
  readonly run: Run;
  /** What its submitter heard so far. */
  readonly events: readonly RunEvent[];
  /** Resolves with the first event that fits. */
  heard(fits: (event: RunEvent) => boolean): Promise<RunEvent>;
  /** Resolves when a round has ended. */
  finished(round: number): Promise<unknown>;
  /** Resolves when a training of a site has begun in a round. */
  training(site: string, round: number): Promise<unknown>;
  /** `<site> <round>` of each training that was begun. */
  trainings(): readonly string[];
  result(): Promise<RunResult>;
  /** Its folder at the server; once it was submitted. */
  folder(): string;
}

/** Longest that a test waits for something to happen, milliseconds. */
const patienceMs = 200_000;

export async function openStage(options: ChaosOptions = {}): Promise<Stage> {
  const federation = await chaosFederation(options);
  const { place, sites, kit, serverWorkspace } = federation;
  const auditFile = join(serverWorkspace, 'audit.jsonl');
  let jobs = 0;
  const audit = () => linesOf(auditFile).map((line): AuditRecord => JSON.parse(line));
  return {
    ...federation,
    submit(given = {}) {
      const toy = { name: `job-${++jobs}`, place, sites, ...given };
      writeFileSync(trainingLog(place, toy.name), '');
      const env = new ProdEnv({ kit: kit('ada'), workspace: join(place, 'results') });
      return courseOf(toy, env.run(toyJob(toy), { folder: place }), serverWorkspace);
    },
    audit,
    audited: (fits) => changed(auditFile, 'a record of the audit log', () => audit().find(fits)),
  };
}

function courseOf(toy: ToyJob, run: Run, serverWorkspace: string): Course {
  const events: RunEvent[] = [];
  const listeners = new Set<() => void>();
  const told = (async () => {
    for await (const event of run.events()) {
      events.push(event);
      for (const listen of listeners) listen();
    }
  })();
  told.catch(() => {}); // The result says the same.
  const result = run.result();
  result.catch(() => {}); // Whoever wants it asks for it.
  const heard = (fits: (event: RunEvent) => boolean) =>
    within(
      'an event of the run',
      new Promise<RunEvent>((resolve, reject) => {
        const listen = () => {
          const found = events.find(fits);
          if (found === undefined) return;
          listeners.delete(listen);
          resolve(found);
        };
        listeners.add(listen);
        listen();
        told.then(() => reject(new Error('The run has ended before.')), reject);
      }),
    );
  const trainings = () => linesOf(trainingLog(toy.place, toy.name));
  return {
    toy,
    run,
    events,
    heard,
    trainings,
    finished: (round) => heard((event) => event.kind === 'round-finished' && event.round === round),
    training: (site, round) =>
      changed(trainingLog(toy.place, toy.name), `round ${round} at ${site}`, () =>
        trainings().find((line) => line === `${site} ${round}`),
      ),
    result: () => result,
    folder() {
      const jobs = join(serverWorkspace, 'jobs');
      return join(jobs, readdirSync(jobs).find((name) => name.startsWith(`${toy.name}-`))!);
    },
  };
}

/** Whole lines of a file; none when it is not there. */
function linesOf(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

/** Resolves once a look at a file finds something. */
export function changed<T>(file: string, what: string, look: () => T | undefined): Promise<T> {
  return within(
    what,
    new Promise<T>((resolve, reject) => {
      const tryIt = () => {
        try {
          const found = look();
          if (found === undefined) return;
          watcher.close();
          resolve(found);
        } catch (error) {
          watcher.close();
          reject(error);
        }
      };
      const watcher = watch(existsSync(file) ? file : dirname(file), tryIt);
      tryIt();
    }),
  );
}

function within<T>(what: string, wanted: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${patienceMs / 1000} s.`)), patienceMs);
  });
  return Promise.race([wanted, tooLate]).finally(() => clearTimeout(timer));
}

export interface Oracle {
  /** How much longer than undisturbed it may take, seconds. */
  readonly budgetSeconds: number;
  /** Sites that may be missing from rounds. @default none */
  readonly mayMiss?: readonly string[];
  /** Sites that may train a round more than once: their processes were killed. @default none */
  readonly mayRetrain?: readonly string[];
  /** Whether a round may be done again: what the server kept of it was damaged. @default false */
  readonly mayRepeat?: boolean;
}

/** How long the undisturbed toy job takes, and each further second of training in a round. */
let undisturbedSeconds = 0;
export function noteUndisturbed(seconds: number): void {
  undisturbedSeconds = seconds;
}

/** What must be true of a job that has finished. */
export async function expectWhole(stage: Stage, course: Course, oracle: Oracle): Promise<RunResult> {
  const { toy } = course;
  const { rounds = 5, sites, trainMs = 100 } = toy;
  const result = await course.result();
  const { history } = result;
  expect(
    history.map(({ round }) => round),
    'every round, once',
  ).toEqual([...Array(rounds + 1).keys()]);
  expectEverybody(history, oracle);
  expect(result.finalModelSha256, 'the bytes of the final model').toBe(await undisturbedModel(toy, history));
  expectTrainedOnce(course, oracle);
  const seconds = secondsOf(stage.audit(), course);
  const calm = undisturbedSeconds + (rounds * (trainMs - 100)) / 1000;
  expect(seconds, 'wall time').toBeLessThan(2 * calm + oracle.budgetSeconds);
  if (!oracle.mayRepeat) expectCountedOnce(stage.audit(), course, sites);
  const verdict = await verifyAudit(join(stage.serverWorkspace, 'audit.jsonl'), nodeDisk);
  expect(verdict, 'the audit log').toMatchObject({ whole: true });
  const files = readdirSync(course.folder(), { recursive: true }).map(String);
  expect(
    files.filter((file) => /(^|\/)spool(\/|$)|\.part$|\.tmp$/.test(file)),
    'what is left over',
  ).toEqual([]);
  return result;
}

function expectEverybody(history: RunResult['history'], { mayMiss = [] }: Oracle): void {
  const missing = history.flatMap(({ round, sites }) =>
    sites.filter(({ status, name }) => status !== 'ok' && !mayMiss.includes(name)).map((site) => ({ round, ...site })),
  );
  expect(missing, 'who has no part').toEqual([]);
}

function expectTrainedOnce(course: Course, { mayMiss = [], mayRetrain = [] }: Oracle): void {
  const { rounds = 5, sites } = course.toy;
  for (const site of sites) {
    const own = course.trainings().filter((line) => line.startsWith(`${site} `));
    if (!mayMiss.includes(site)) expect(new Set(own).size, `rounds that ${site} trained`).toBe(rounds);
    if (!mayRetrain.includes(site)) expect(own, `trainings of ${site}`).toEqual([...new Set(own)]);
  }
}

/** From the submission to the end, as the server has it. */
export function secondsOf(audit: readonly AuditRecord[], { toy }: Course, end = 'finished'): number {
  const timeOf = (event: string) => {
    const record = audit.find((one) => one.event === event && String(one.job).startsWith(`${toy.name}-`));
    return Date.parse(record?.time ?? '');
  };
  return (timeOf(end) - timeOf('submitted')) / 1000;
}

function expectCountedOnce(audit: readonly AuditRecord[], { toy }: Course, sites: readonly string[]): void {
  const accepted = audit.filter(
    ({ event, job }) => event === 'answer-accepted' && String(job).startsWith(`${toy.name}-`),
  );
  const keys = accepted.map(({ site, task }) => `${site} ${task}`);
  expect(keys, 'answers that count').toEqual([...new Set(keys)]);
  expect(accepted.filter(({ site }) => !sites.includes(String(site)))).toEqual([]);
}
