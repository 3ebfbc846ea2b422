/**
 * The agent's end of the thread of a policy's filters.
 *
 * @module
 */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { EngineError, errorFromData, InternalError } from '../../errors';
import { spawnWorker } from '../../util/spawn-worker';
import type {
  Outgoing,
  Passed,
  PolicyFilterReply,
  PolicyFilterRequest,
  PolicyFilterSetup,
} from './policy-filter-messages';

export interface PolicyFilterClient {
  /** Rejects when the payload must not leave. */
  filter(outgoing: Outgoing, signal: AbortSignal): Promise<Passed>;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (passed: Passed) => void;
  readonly reject: (error: Error) => void;
}

/** The thread is started for the first payload, and anew for the next one when it died. */
export function policyFilterClient(setup: PolicyFilterSetup): PolicyFilterClient {
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let worker: Worker | undefined;
  let closed = false;
  return {
    async filter(outgoing, signal) {
      signal.throwIfAborted();
      if (closed) throw new InternalError('The filters of the policy were closed.');
      worker ??= start();
      const current = worker;
      const id = nextId++;
      const abort = () => current.postMessage({ type: 'abort', id } satisfies PolicyFilterRequest);
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await new Promise<Passed>((resolve, reject) => {
          pending.set(id, { resolve, reject });
          current.postMessage({ type: 'filter', id, ...outgoing } satisfies PolicyFilterRequest);
        });
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async close() {
      closed = true;
      if (!worker) return;
      const ended = once(worker, 'exit');
      worker.postMessage({ type: 'close' } satisfies PolicyFilterRequest);
      await ended;
    },
  };

  function start(): Worker {
    const started = spawnWorker(__dirname, 'policy-filter-worker', { workerData: setup });
    started.on('message', receive);
    started.on('error', (cause) => lose(started, `it died: ${cause.message}`, cause));
    started.on('exit', (code) => lose(started, `it ended with code ${code}`));
    return started;
  }

  function receive(reply: PolicyFilterReply): void {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.type === 'failed') waiting?.reject(errorFromData(reply.error));
    else waiting?.resolve({ payload: reply.payload, costs: reply.costs });
  }

  /** What is in its hands does not leave. */
  function lose(dead: Worker, reason: string, cause?: Error): void {
    if (dead !== worker) return;
    worker = undefined;
    for (const { reject } of pending.values()) {
      reject(new EngineError(`The thread of the policy's filters is gone: ${reason}.`, { cause }));
    }
    pending.clear();
  }
}
