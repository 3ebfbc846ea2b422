/**
 * The agent's end of the process of a job.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { errorFromData, InternalError, SiteFailedError } from '../../errors';
import { lineSplitter } from '../../executors/line-splitter';
import type { Task, Update } from '../../protocol/messages';
import type { TaskContext } from '../../transport/agent-types';
import { nodeClock } from '../../util/clock';
import { forkModule } from '../../util/fork-module';
import type { JobProcessReply, JobProcessRequest, PreparedJob, SiteJobSetup, UnfitJob } from './job-process-messages';
import { refusedFor } from './refused-for';

export interface JobProcess {
  /** Resolves once the job can run here. @throws RefusedError with the policy's or the site's rule, and the cause, when it cannot. */
  readonly prepared: Promise<PreparedJob>;
  /** Whether it can still be given tasks. */
  readonly alive: boolean;
  /** Rejects with the signal's reason soon after it is aborted, whatever the process is doing. */
  run(task: Task, context: TaskContext): Promise<Update>;
  /** Ends it after the step in hand, or at once when that takes too long. */
  close(): Promise<void>;
}

export interface JobProcessOptions {
  readonly setup: SiteJobSetup;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
  /** How long a step in hand may take to end. A process that takes longer is killed: what matters of it is on disk. */
  readonly graceMs: number;
  /** When it is aborted before the job is ready, the process is killed. */
  readonly signal: AbortSignal;
  /** Module of the process in this folder; another one in tests. */
  readonly module?: string;
}

interface Pending {
  readonly context: TaskContext;
  readonly resolve: (update: Update) => void;
  readonly reject: (error: Error) => void;
}

export function startJobProcess(options: JobProcessOptions): JobProcess {
  const { setup, log, graceMs, signal: stopping, module = 'job-process' } = options;
  const child = forkModule(__dirname, module, { cwd: setup.files, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let alive = true;
  let settle: { resolve(job: PreparedJob): void; reject(error: Error): void };
  const prepared = new Promise<PreparedJob>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const giveUp = () => child.kill('SIGKILL');
  stopping.addEventListener('abort', giveUp, { once: true });
  const settled = () => stopping.removeEventListener('abort', giveUp);
  prepared.then(settled, settled); // An error is told to whoever waits for it.
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  child.on('message', (reply: JobProcessReply) => receive(reply));
  child.once('error', (cause) => lose(`could not be started: ${cause.message}`, cause));
  child.once('exit', (code, signal) => lose(signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
  logOutput(child, log);
  send({ type: 'prepare', setup });
  return {
    prepared,
    get alive() {
      return alive;
    },
    run,
    async close() {
      if (alive) send({ type: 'close' });
      alive = false;
      const cancel = nodeClock.after(graceMs, () => child.kill('SIGKILL'));
      await ended;
      cancel();
    },
  };

  async function run(task: Task, context: TaskContext): Promise<Update> {
    const { signal } = context;
    signal.throwIfAborted();
    if (!alive) throw new InternalError('The process of the job has ended.');
    const id = nextId++;
    let cancelKill = () => {};
    const abort = () => {
      send({ type: 'abort', id });
      cancelKill = nodeClock.after(graceMs, () => child.kill('SIGKILL'));
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<Update>((resolve, reject) => {
        pending.set(id, { context, resolve, reject });
        send({ type: 'task', id, task });
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      cancelKill();
    }
  }

  function send(request: JobProcessRequest): void {
    // A process that is gone says so by its exit, which comes after.
    if (child.connected) child.send(request, () => {});
  }

  function receive(reply: JobProcessReply): void {
    if (reply.type === 'prepared') settle.resolve(reply.job);
    else if (reply.type === 'unfit') settle.reject(unfit(reply));
    else if (reply.type === 'log') log(reply.level, reply.message);
    else if (reply.type === 'progress') pending.get(reply.id)?.context.progress(reply.progress);
    else if (reply.type === 'update') take(reply.id)?.resolve(reply.update);
    else if (reply.id === undefined) settle.reject(errorFromData(reply.error));
    else take(reply.id)?.reject(errorFromData(reply.error));
  }

  function take(id: number): Pending | undefined {
    const waiting = pending.get(id);
    pending.delete(id);
    return waiting;
  }

  /** Every task in its hands fails with it; what came before is on disk. */
  function lose(reason: string, cause?: Error): void {
    alive = false;
    const error = new SiteFailedError(`The process of the job ${reason}.`, { cause });
    settle.reject(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  }
}

function unfit({ rule, reason, error }: UnfitJob): Error {
  const hint = 'The log of the site has the details: ask its operator.';
  return refusedFor(`site ${rule}: ${reason}`, { hint, cause: errorFromData(error) });
}

/** What the process, or the runtime in it, prints goes to the job's log. */
function logOutput({ stdout, stderr }: ChildProcess, log: JobProcessOptions['log']): void {
  for (const [stream, level] of [
    [stdout, 'info'],
    [stderr, 'warn'],
  ] as const) {
    const lines = lineSplitter((line) => log(level, line));
    stream?.setEncoding('utf8').on('data', lines.push).on('end', lines.end);
  }
}
