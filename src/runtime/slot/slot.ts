/**
 * The simulator's end of a slot: starts the worker, sends tasks, and starts it anew when it died.
 *
 * @module
 */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { AbortedError, EngineError, errorFromData, SiteFailedError } from '../../errors';
import type { Progress } from '../../executors/executor';
import type { Task, Update } from '../../protocol/messages';
import { shareTensors } from '../../tensor/shared-tensors';
import type { NamedTensors } from '../../tensor/tensor';
import { spawnWorker } from '../../util/spawn-worker';
import type { Picture, SlotReply, SlotRequest, SlotSetup } from './slot-messages';

export interface Slot {
  run(site: string, task: Task, signal: AbortSignal): Promise<Update>;
  /** Predicts a few validation cases of a site, for the report of a simulation. */
  pictures(site: string, model: NamedTensors, count: number, signal: AbortSignal): Promise<readonly Picture[]>;
  /** Gives the memory of an update back to the worker, which writes another one into it. */
  release(update: Update): void;
  /** Ends the worker after the step in hand: to end a thread in the middle of a native call ends the process. */
  close(): Promise<void>;
}

export interface SlotOptions {
  readonly setup: SlotSetup;
  readonly onProgress: (site: string, round: number, progress: Progress) => void;
  /** A line for a site's log: of its training code, or about something odd in its files. */
  readonly onLog: (site: string, level: 'info' | 'warn', message: string) => void;
  /** The worker died; the next task starts another. */
  readonly onLost: (reason: string) => void;
  /** Module of the worker in this folder; another one in tests. */
  readonly worker?: string;
}

/** One copy of a model for all the slots and sites it is sent to, and a number by which they know it again. */
const sharedModels = new WeakMap<NamedTensors, { readonly modelId: number; readonly model: NamedTensors }>();
let modelCount = 0;

function shared(model: NamedTensors) {
  const known = sharedModels.get(model) ?? { modelId: modelCount++, model: shareTensors(model) };
  sharedModels.set(model, known);
  return known;
}

interface Pending {
  readonly site: string;
  readonly resolve: (reply: SlotReply) => void;
  readonly reject: (error: Error) => void;
}

export function startSlot({ setup, onProgress, onLog, onLost, worker: module = 'slot-worker' }: SlotOptions): Slot {
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let closed = false;
  /** The model that the worker was sent last. */
  let sentModel: number | undefined;
  let worker: Worker | undefined = start();

  return {
    async run(site, task, signal) {
      const { model: received, ...rest } = task;
      const { modelId, model } = shared(received);
      const request = (id: number): SlotRequest => {
        const known = sentModel === modelId;
        sentModel = modelId;
        return { type: 'task', id, site, modelId, task: rest, ...(!known && { model }) };
      };
      const reply = await ask(site, request, signal);
      if (reply.type !== 'update') throw new EngineError(`The slot answered '${reply.type}' to a task.`);
      return reply.update;
    },
    async pictures(site, model, count, signal) {
      const reply = await ask(
        site,
        (id) => ({ type: 'pictures', id, site, model: shared(model).model, count }),
        signal,
      );
      if (reply.type !== 'pictures')
        throw new EngineError(`The slot answered '${reply.type}' to a request for pictures.`);
      return reply.pictures;
    },
    release({ payload }) {
      const all = new Set([...payload.tensors.values()].map(({ data }) => data.buffer));
      const memories = [...all].filter((memory) => memory instanceof SharedArrayBuffer);
      if (memories.length > 0) worker?.postMessage({ type: 'memory', memories } satisfies SlotRequest);
    },
    async close() {
      closed = true;
      if (!worker) return;
      const ended = once(worker, 'exit');
      worker.postMessage({ type: 'close' } satisfies SlotRequest);
      await ended;
    },
  };

  function start(): Worker {
    sentModel = undefined;
    const started = spawnWorker(__dirname, module, { workerData: setup });
    started.on('message', receive);
    started.on('error', (error) => lose(started, `its worker died: ${error.message}`, error));
    started.on('exit', (code) => lose(started, `its worker ended with code ${code}`));
    return started;
  }

  async function ask(site: string, request: (id: number) => SlotRequest, signal: AbortSignal): Promise<SlotReply> {
    if (signal.aborted) throw new AbortedError('The run was stopped.');
    const id = nextId++;
    worker ??= start();
    const current = worker;
    const abort = () => current.postMessage({ type: 'abort', id } satisfies SlotRequest);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<SlotReply>((resolve, reject) => {
        pending.set(id, { site, resolve, reject });
        current.postMessage(request(id));
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  function receive(reply: SlotReply): void {
    if (reply.type === 'ready') return;
    if (reply.type === 'progress') {
      onProgress(reply.site, reply.round, reply.progress);
      return;
    }
    if (reply.type === 'log') {
      onLog(reply.site, reply.level, reply.message);
      return;
    }
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.type === 'failed') waiting?.reject(errorFromData(reply.error));
    else waiting?.resolve(reply);
  }

  /** Every task in the worker's hands fails with it; the next task starts a new worker, which reads the sites' state from disk. */
  function lose(dead: Worker, reason: string, cause?: Error): void {
    if (closed || dead !== worker) return; // A worker that threw also exits; by then its successor may be at work.
    worker = undefined;
    onLost(reason);
    for (const { site, reject } of pending.values()) {
      reject(new SiteFailedError(`${site} could not finish its task: ${reason}.`, { cause }));
    }
    pending.clear();
  }
}
