/**
 * Where the files of a run lie, and who may use the folder.
 *
 * @module
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { WorkspaceError } from '../errors';
import { workspaceError } from '../util/atomic-file';
import { makeFolder } from '../util/make-folder';

export interface RunFolder {
  /** `<workspace>/<job name>`. */
  readonly root: string;
  /** `server/simulate_job`: what the server keeps of the job. */
  readonly job: string;
  readonly jobFile: string;
  readonly metaFile: string;
  /** Models: `app_server`. */
  readonly models: string;
  readonly checkpoint: string;
  readonly events: string;
  readonly metrics: string;
  readonly ledger: string;
  /** What the server's own filters have cost. */
  readonly serverLedger: string;
  /** JSON files of workflows that give more than a model. */
  readonly results: string;
  readonly report: string;
  /** `server`: its logs. */
  readonly server: string;
  site(name: string): { readonly root: string; readonly job: string };
}

export function runFolder(workspace: string, jobName: string): RunFolder {
  const root = resolve(workspace, jobName);
  const server = join(root, 'server');
  const job = join(server, 'simulate_job');
  const models = join(job, 'app_server');
  return {
    root,
    server,
    job,
    models,
    jobFile: join(job, 'job.yaml'),
    metaFile: join(job, 'meta.json'),
    checkpoint: join(models, 'checkpoint'),
    events: join(job, 'tb_events'),
    metrics: join(job, 'metrics'),
    ledger: join(job, 'privacy', 'ledger.jsonl'),
    serverLedger: join(job, 'server_filters'),
    results: join(job, 'results'),
    report: join(job, 'report.html'),
    site: (name) => ({ root: join(root, name), job: join(root, name, 'simulate_job') }),
  };
}

/** Moves an earlier run of the same name to `<name>.1`, `<name>.2`, … and returns where to; nothing is ever overwritten. */
export async function archiveEarlierRun(folder: RunFolder): Promise<string | undefined> {
  if (!existsSync(folder.root)) return undefined;
  if (!statSync(folder.root).isDirectory()) {
    throw new WorkspaceError(`'${folder.root}' is a file, but the run needs a folder of that name.`, {
      hint: 'Move the file, or choose another --job_name or --workspace.',
    });
  }
  let number = 1;
  while (existsSync(`${folder.root}.${number}`)) number++;
  const target = `${folder.root}.${number}`;
  try {
    await rename(folder.root, target);
  } catch (error) {
    throw workspaceError('move the earlier run', folder.root, error);
  }
  return target;
}

/**
 * Takes the folder for this process. The lock names the process, so that the lock of a killed one does not block.
 *
 * @param hint what to do when it is taken
 * @returns gives the folder back.
 * @throws WorkspaceError when another live process runs the job, or the folder cannot be written.
 */
export async function lockFolder(
  folder: Pick<RunFolder, 'root'>,
  hint = 'Wait for that run, stop it, or choose another --job_name.',
): Promise<() => Promise<void>> {
  const lock = lockFile(folder);
  await makeFolder(dirname(lock)).catch((error: unknown) => {
    throw workspaceError('create the folder', dirname(lock), error);
  });
  try {
    await writeFile(lock, identityOf(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw workspaceError('create', lock, error);
    await refuseIfRunning(folder, hint);
    await writeFile(lock, identityOf(process.pid));
  }
  return () => rm(lock, { force: true });
}

/** @throws WorkspaceError when a live process holds the folder. */
async function refuseIfRunning(folder: Pick<RunFolder, 'root'>, hint: string): Promise<void> {
  const lock = lockFile(folder);
  if (!existsSync(lock)) return;
  const owner = await readFile(lock, 'utf8');
  if (!isAlive(owner)) return;
  throw new WorkspaceError(`'${folder.root}' is in use by process ${owner.split(' ')[0]}.`, {
    hint,
  });
}

function lockFile(folder: Pick<RunFolder, 'root'>): string {
  // Beside the folder, which may be moved away.
  return `${folder.root}.lock`;
}

/** The process's number and, where the system tells, its start: numbers are given out again. */
function identityOf(pid: number): string {
  const start = processStatus(pid)?.start;
  return start === undefined ? String(pid) : `${pid} ${start}`;
}

function isAlive(owner: string): boolean {
  const [pid, start] = owner.split(' ').map(Number);
  if (pid === undefined || !Number.isInteger(pid) || pid <= 0) return false;
  const status = processStatus(pid);
  if (status) return status.state !== 'Z' && (start === undefined || start === status.start);
  if (existsSync('/proc/self/stat')) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** State and start of a process on Linux (proc(5)): a killed one that nobody has waited for is a zombie, `Z`. */
function processStatus(pid: number): { state: string; start: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, start: Number(fields[19]) };
  } catch {
    return undefined;
  }
}
