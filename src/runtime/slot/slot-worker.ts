/**
 * A slot's worker thread: the sites of the slot with their trainers, one task at a time.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, InternalError } from '../../errors';
import type { ExecutorContext } from '../../executors/executor';
import { scoreCache } from '../../executors/score-cache';
import type { Site } from '../../executors/site';
import type { Task, Update } from '../../protocol/messages';
import { ownTensors } from '../../tensor/shared-tensors';
import type { NamedTensors } from '../../tensor/tensor';
import { composeSite } from '../container';
import { startLoader } from '../loader/loader-client';
import { drawCases } from './case-pictures';
import type { SlotReply, SlotRequest, SlotSetup } from './slot-messages';

const port = parentPort!;
const setup = workerData as SlotSetup;
const loader = startLoader(
  setup.sites.map(({ cases }) => cases),
  (site, message) => reply({ type: 'warning', site, message }),
);
const scores = scoreCache();
const sites = new Map<string, Site>();
const running = new Map<number, AbortController>();
/** Tasks follow one another: two sessions at once would only fight for the cores. */
let queue: Promise<void> = Promise.resolve();

port.on('message', (request: SlotRequest) => {
  if (request.type === 'abort') return running.get(request.id)?.abort();
  if (request.type === 'close') return void close();
  const controller = new AbortController();
  running.set(request.id, controller);
  queue = queue.then(() => answer(request, controller.signal)).finally(() => running.delete(request.id));
});
reply({ type: 'ready' });

async function close(): Promise<void> {
  for (const controller of running.values()) controller.abort();
  await queue;
  await loader.close();
  port.close();
}

async function answer(request: Exclude<SlotRequest, { type: 'abort' | 'close' }>, signal: AbortSignal): Promise<void> {
  const { id } = request;
  try {
    signal.throwIfAborted();
    if (request.type === 'pictures') {
      const wanted = { count: request.count, model: ownTensors(request.model) };
      const pictures = await drawCases(setup, loader.source(request.site), wanted, signal);
      return reply({ type: 'pictures', id, pictures });
    }
    const { site } = request;
    const task = { ...request.task, model: receivedModel(request.task) };
    const context: ExecutorContext = {
      signal,
      progress: (progress) => reply({ type: 'progress', site, round: task.round, progress }),
    };
    const { update, durable } = await (await siteOf(site)).run(task, context);
    // The disk is slow: the next task of the queue does not wait for it.
    durable.then(() => reply({ type: 'update', id, update }, buffersOf(update))).catch((error) => fail(id, error));
  } catch (error) {
    fail(id, error);
  }
}

/** The global model in this thread's own memory: one copy for all sites of the slot, which only read it. */
let received: Pick<Task, 'round' | 'model'> | undefined;

function receivedModel({ round, model }: Task): NamedTensors {
  if (received?.round !== round) received = { round, model: ownTensors(model) };
  return received.model;
}

async function siteOf(name: string): Promise<Site> {
  const known = sites.get(name);
  if (known) return known;
  const site = setup.sites.find((candidate) => candidate.name === name);
  if (!site) throw new InternalError(`This slot has no site '${name}'.`);
  const composed = await composeSite(setup, site, { cases: loader.source(name), scores, write: loader.write });
  sites.set(name, composed);
  return composed;
}

function fail(id: number, error: unknown): void {
  reply({ type: 'failed', id, error: errorToData(error) });
}

function buffersOf({ payload }: Update): ArrayBuffer[] {
  return [...new Set([...payload.tensors.values()].map(({ data }) => data.buffer as ArrayBuffer))];
}

function reply(message: SlotReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
