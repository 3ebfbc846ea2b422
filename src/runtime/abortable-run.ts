import type { Run, RunResult } from '../jobs/environment';
import { type RunWork, startRun } from './run-handle';

/** A run that its caller's signal aborts, as `Run.abort` does. */
export function abortableRun(
  id: string,
  signal: AbortSignal | undefined,
  work: (context: RunWork) => Promise<RunResult>,
): Run {
  const run = startRun(id, work);
  const abort = () => run.abort('The run was stopped by its caller.');
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const release = () => signal?.removeEventListener('abort', abort);
  run.result().then(release, release);
  return run;
}
