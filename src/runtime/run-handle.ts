/**
 * A started run as its caller sees it: events, status, result, abort.
 *
 * @module
 */
import { AbortedError, isConsiliumError } from '../errors';
import type { Run, RunEvent, RunResult } from '../jobs/environment';

export interface RunWork {
  readonly signal: AbortSignal;
  emit(event: RunEvent): void;
}

/** Starts `work` and hands out the run at once. @param hint what can be done about a run that was stopped */
export function startRun(
  id: string,
  work: (context: RunWork) => Promise<RunResult>,
  hint = 'Finished rounds are kept; continue with --resume.',
): Run {
  const controller = new AbortController();
  const log = eventLog();
  let status: ReturnType<Run['status']> = 'running';
  const result = work({ signal: controller.signal, emit: log.emit }).then(
    (value) => {
      end('finished');
      return value;
    },
    (error) => {
      end(controller.signal.aborted ? 'aborted' : 'failed');
      throw controller.signal.aborted ? stopped(controller.signal.reason, error) : error;
    },
  );
  result.catch(() => {}); // Whoever asks for the result sees the error; nobody asking is no crash.
  return {
    id,
    status: () => status,
    events: log.events,
    result: () => result,
    abort: (reason = 'The run was stopped.') => {
      controller.abort(new AbortedError(reason, { hint }));
    },
  };

  function end(outcome: 'finished' | 'failed' | 'aborted'): void {
    status = outcome;
    log.emit({ kind: 'done', outcome });
  }
}

/** That a run was stopped on request does not hide that its last round could not be written. */
function stopped(reason: AbortedError, error: unknown): AbortedError {
  if (!isConsiliumError(error, 'WorkspaceError')) return reason;
  return new AbortedError(reason.message, { cause: error, ...(reason.hint !== undefined && { hint: reason.hint }) });
}

/** Events for any number of readers. A late reader gets all but the progress events from the start. */
function eventLog() {
  const past: RunEvent[] = [];
  const readers = new Set<(event: RunEvent) => void>();

  return { emit, events };

  function emit(event: RunEvent): void {
    if (event.kind !== 'progress') past.push(event);
    for (const reader of readers) reader(event);
  }

  async function* events(): AsyncGenerator<RunEvent> {
    const queue = [...past];
    let wake = () => {};
    const read = (event: RunEvent) => {
      queue.push(event);
      wake();
    };
    readers.add(read);
    try {
      for (;;) {
        const event = queue.shift();
        if (event) {
          yield event;
          if (event.kind === 'done') return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      readers.delete(read);
    }
  }
}
