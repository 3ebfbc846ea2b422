/**
 * Looks at a machine, and at a job, before anything is started.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import { readJobFile } from '../jobs/job-file';
import type { JobSpec } from '../jobs/job-spec';
import { checkpointProblems } from '../jobs/named-files';
import { codeProblem, findProgram } from '../jobs/own-code';
import { counted } from '../util/counted';
import { nodeDisk } from '../util/node-disk';
import { resourcesOf } from './client/site-resources';
import { checkData } from './data-check';
import { isSynthetic, siteImages } from './job-data';
import { examineMachine, type Finding, type Found, look } from './machine-check';
import { checkFilters } from './part-check';
import { checkProvider } from './provider-check';
import { sharedFiles } from './provision/bundle-files';
import { resourceFindings } from './resource-check';
import { startingModel } from './starting-model';

export interface ExamineOptions {
  /** A job file. @default none: only the machine is looked at */
  readonly file?: string;
  /** Folder of runs. @default './consilium-workspace' */
  readonly workspace?: string;
}

/** What was found, in order. Nothing is thrown for what is found, and nothing is left behind but the workspace folder. */
export async function examine({
  file,
  workspace = 'consilium-workspace',
}: ExamineOptions): Promise<readonly Finding[]> {
  const findings = [...(await examineMachine(resolve(workspace)))];
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

/** A job as whoever submits it has it: all that is not its sites' to find out. */
export async function examineJobToSubmit(file: string): Promise<readonly Finding[]> {
  const folder = dirname(resolve(file));
  let job: JobSpec | undefined;
  const read = await look('job file', async () => {
    job = await readJobFile(file, { folder, forSites: true, needsFiles: false }); // Each has a line of its own.
    return { status: 'ok', message: `${job.name}: ${counted(job.sites.length, 'site')}` };
  });
  if (!job) return [read];
  const found = job;
  const elsewhere = 'Each site looks at the job with its own kit: `consilium doctor job.yaml --kit DIR`.';
  return [
    read,
    await look('filters', async () => filters(found)),
    await look('files', async () => {
      const files = await sharedFiles(found, { folder, include: [], disk: nodeDisk });
      return {
        status: 'ok',
        message: files.length === 0 ? 'none go with it' : files.map(({ path }) => path).join(', '),
      };
    }),
    await look('starting model', () => modelOf(found, folder)),
    { name: 'data', status: 'ok', message: "the sites' own, as room and execution providers are", hint: elsewhere },
  ];
}

async function examineJob(job: JobSpec, folder: string, workspace: string): Promise<readonly Finding[]> {
  return [
    await look('filters', async () => filters(job)),
    await look('training code', async () => trainingCode(job, folder)),
    await look('execution provider', async () => {
      await checkProvider(job);
      return { status: 'ok', message: job.engine.provider };
    }),
    ...resourceFindings({
      job,
      offered: resourcesOf({ slots: 1, memoryMb: undefined, provider: job.engine.provider }),
    }),
    await look('data', () => data(job, folder, workspace)),
    await look('starting model', () => modelOf(job, folder)),
  ];
}

function filters(job: JobSpec): Found {
  checkFilters(job);
  return { status: 'ok', message: job.filters.length === 0 ? 'none' : `${job.filters.length} fit the job` };
}

async function modelOf(job: JobSpec, folder: string): Promise<Found> {
  const [missing] = checkpointProblems(job, folder); // Further models to score are read after the training.
  if (missing) return { status: 'problem', message: missing.message, hint: missing.hint };
  const notes: string[] = [];
  const model = await startingModel(job, folder, (note) => notes.push(note));
  const message = [counted(model.size, 'tensor'), ...notes].join('; ');
  return { status: notes.length === 0 ? 'ok' : 'warning', message };
}

/** What trains: a part of the library, a part of the user's own, a script or a program. */
function trainingCode({ trainer, modules }: JobSpec, folder: string): Found {
  const problem = codeProblem({ trainer }, folder);
  if (problem) return { status: 'problem', message: problem.message, hint: problem.hint };
  const own = modules.length === 0 ? '' : `; own parts from ${modules.join(', ')}`;
  if (trainer.kind === 'script') return { status: 'ok', message: `the script ${trainer.script}${own}` };
  if (trainer.kind !== 'command') return { status: 'ok', message: `'${trainer.kind}'${own}` };
  const program = findProgram(trainer.command[0] ?? '', folder);
  return { status: 'ok', message: `the program ${program}${own}` };
}

async function data(job: JobSpec, folder: string, workspace: string): Promise<Found> {
  if (isSynthetic(job)) return { status: 'ok', message: 'SYNTHETIC, written when the job runs' };
  if (job.data.kind === 'csv') {
    await checkData(job, folder, []);
    return { status: 'ok', message: `every site has its table ${job.data.path}` };
  }
  if (job.data.kind !== 'brats18' && job.data.kind !== 'slices')
    return { status: 'ok', message: `'${job.data.kind}': the trainer sees to it` };
  const cases = await checkData(
    job,
    folder,
    job.sites.flatMap((site) => siteImages(job, site, { workspace, folder }) ?? []),
  );
  const what = job.data.kind === 'slices' ? 'every slice has its partners' : 'every listed file is there';
  return { status: 'ok', message: `${what}; ${counted(cases.length, 'validation case')}` };
}
