/**
 * Looks at a machine, and at a job, before anything is started.
 *
 * @module
 */
import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { errorToData } from '../errors';
import { readJobFile } from '../jobs/job-file';
import type { JobSpec } from '../jobs/job-spec';
import { checkpointProblems } from '../jobs/named-files';
import { codeProblem, findProgram } from '../jobs/own-code';
import { createModel, initialise } from '../nn/model';
import { openPredictor } from '../nn/predictor';
import { checkData } from './data-check';
import { siteImages } from './job-data';
import { checkFilters } from './part-check';
import { checkProvider } from './provider-check';
import { startingModel } from './starting-model';

export interface Finding {
  /** What was looked at. */
  readonly name: string;
  /** `warning`: jobs run, but look at it. `problem`: they will not. */
  readonly status: 'ok' | 'warning' | 'problem';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface ExamineOptions {
  /** A job file. @default none: only the machine is looked at */
  readonly file?: string;
  /** Folder of runs. @default './consilium-workspace' */
  readonly workspace?: string;
}

type Check = () => Promise<Omit<Finding, 'name'>>;

/** What was found, in order. Nothing is thrown for what is found, and nothing is left behind but the workspace folder. */
export async function examine({
  file,
  workspace = 'consilium-workspace',
}: ExamineOptions): Promise<readonly Finding[]> {
  const findings = [
    await look('Node.js', node),
    await look('processor', cores),
    await look('memory', memory),
    await look('workspace', () => disk(resolve(workspace))),
    await look('onnxruntime', engine),
  ];
  if (file === undefined) return findings;
  const folder = dirname(resolve(file));
  let job: JobSpec | undefined;
  findings.push(
    await look('job file', async () => {
      job = await readJobFile(file, { folder, needsFiles: false }); // Each has a line of its own.
      return { status: 'ok', message: `${job.name}: ${counted(job.sites.length, 'site')}` };
    }),
  );
  if (!job) return findings;
  return [...findings, ...(await examineJob(job, folder, resolve(workspace)))];
}

async function examineJob(job: JobSpec, folder: string, workspace: string): Promise<readonly Finding[]> {
  return [
    await look('filters', async () => {
      checkFilters(job);
      return { status: 'ok', message: job.filters.length === 0 ? 'none' : `${job.filters.length} fit the job` };
    }),
    await look('training code', async () => trainingCode(job, folder)),
    await look('execution provider', async () => {
      await checkProvider(job);
      return { status: 'ok', message: job.engine.provider };
    }),
    await look('data', () => data(job, folder, workspace)),
    await look('starting model', async () => {
      const [missing] = checkpointProblems(job, folder); // Further models to score are read after the training.
      if (missing) return { status: 'problem', message: missing.message, hint: missing.hint };
      const notes: string[] = [];
      const model = await startingModel(job, folder, (note) => notes.push(note));
      const message = [counted(model.size, 'tensor'), ...notes].join('; ');
      return { status: notes.length === 0 ? 'ok' : 'warning', message };
    }),
  ];
}

/** What trains: a part of the library, a part of the user's own, a script or a program. */
function trainingCode({ trainer, modules }: JobSpec, folder: string): Omit<Finding, 'name'> {
  const problem = codeProblem({ trainer }, folder);
  if (problem) return { status: 'problem', message: problem.message, hint: problem.hint };
  const own = modules.length === 0 ? '' : `; own parts from ${modules.join(', ')}`;
  if (trainer.kind === 'script') return { status: 'ok', message: `the script ${trainer.script}${own}` };
  if (trainer.kind !== 'command') return { status: 'ok', message: `'${trainer.kind}'${own}` };
  const program = findProgram(trainer.command[0] ?? '', folder);
  return { status: 'ok', message: `the program ${program}${own}` };
}

async function look(name: string, check: Check): Promise<Finding> {
  try {
    return { name, ...(await check()) };
  } catch (error) {
    const { message, hint } = errorToData(error);
    return { name, status: 'problem', message, ...(hint !== undefined && { hint }) };
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

const oldestNode = 20;

async function node(): Promise<Omit<Finding, 'name'>> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= oldestNode) return { status: 'ok', message: process.versions.node };
  return { status: 'problem', message: `${process.versions.node} is too old`, hint: `Install Node.js ${oldestNode}.` };
}

async function cores(): Promise<Omit<Finding, 'name'>> {
  const count = availableParallelism();
  return { status: 'ok', message: `${counted(count, 'core')}: as many sites train at the same time` };
}

/** What one site needs for the published network on 64³ crops. */
const leastMemory = 2 * 2 ** 30;

async function memory(): Promise<Omit<Finding, 'name'>> {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const message = `${gib(freemem())} free of ${gib(totalmem())}`;
  if (freemem() >= leastMemory) return { status: 'ok', message };
  return {
    status: 'warning',
    message,
    hint: `Volumes need about ${gib(leastMemory)} a slot: close programs, or use --threads 1.`,
  };
}

/** What a run of a few rounds with a network of 5 million parameters leaves. */
const leastDisk = 2 ** 30;

async function disk(folder: string): Promise<Omit<Finding, 'name'>> {
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${folder}, ${(free / 2 ** 30).toFixed(1)} GiB free`;
  if (free >= leastDisk) return { status: 'ok', message };
  return { status: 'warning', message, hint: 'Free some space, or choose another --workspace.' };
}

/** Opens a small network and runs it. */
async function engine(): Promise<Omit<Finding, 'name'>> {
  const model = createModel({ kind: 'segresnet', initFilters: 8 });
  const predictor = await openPredictor({ model, inputShape: [1, 4, 8, 8, 8], threads: 1, provider: 'cpu' });
  const [first] = await predictor.run(initialise(model, 0), new Float32Array(4 * 512));
  if (first === undefined || !Number.isFinite(first))
    return { status: 'problem', message: 'a small network gave no numbers' };
  return { status: 'ok', message: 'a small network runs on the CPU' };
}

async function data(job: JobSpec, folder: string, workspace: string): Promise<Omit<Finding, 'name'>> {
  if (job.data.kind === 'brats18-phantom') return { status: 'ok', message: 'SYNTHETIC, written when the job runs' };
  if (job.data.kind === 'csv') {
    await checkData(job, folder, []);
    return { status: 'ok', message: `every site has its table ${job.data.path}` };
  }
  if (job.data.kind !== 'brats18') return { status: 'ok', message: `'${job.data.kind}': the trainer sees to it` };
  const cases = await checkData(
    job,
    folder,
    job.sites.flatMap((site) => siteImages(job, site, workspace) ?? []),
  );
  return { status: 'ok', message: `every listed file is there; ${counted(cases.length, 'validation case')}` };
}
