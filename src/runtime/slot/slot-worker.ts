/**
 * A slot's worker thread: the sites of the slot with their trainers, one task at a time.
 *
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, InternalError } from '../../errors';
import type { CaseSource } from '../../executors/case-source';
import type { ExecutorContext } from '../../executors/executor';
import { scoreCache } from '../../executors/score-cache';
import type { Site } from '../../executors/site';
import type { SliceSource } from '../../executors/slice-source';
import { siteConfigOf } from '../../jobs/job-spec';
import { loadModules } from '../../jobs/load-modules';
import type { Update } from '../../protocol/messages';
import type { FeatureSource } from '../../statistics/feature-source';
import { ownTensors } from '../../tensor/shared-tensors';
import type { NamedTensors } from '../../tensor/tensor';
import { sendableTensors, takeBack } from '../../tensor/update-memory';
import { composeSite } from '../container';
import { startLoader } from '../loader/loader-client';
import { createData } from '../parts';
import { siteFeatures } from '../site-features';
import { noteStateFile, writeStateFile } from '../state-file';
import { drawCases } from './case-pictures';
import { drawSlices } from './slice-pictures';
import type { Picture, SlotReply, SlotRequest, SlotSetup, SlotSite } from './slot-messages';

const port = parentPort!;
const setup = workerData as SlotSetup;
const ofLoader = setup.sites.flatMap(({ cases }) => cases ?? []);
const loader = ofLoader.length === 0 ? undefined : startLoader(ofLoader, (site, message) => log(site, 'warn', message));
const scores = scoreCache();
const siteSetups = new Map(setup.sites.map((site) => [site.name, site]));
const sites = new Map<string, Site>();
const running = new Map<number, AbortController>();
/** The model of the task received last. */
let sent: NamedTensors = new Map();
/** Tasks follow one another: two sessions at once would only fight for the cores. */
let queue: Promise<void> = Promise.resolve();

port.on('message', (request: SlotRequest) => {
  if (request.type === 'abort') return running.get(request.id)?.abort();
  if (request.type === 'close') return void close();
  if (request.type === 'memory') return request.memories.forEach(takeBack);
  const controller = new AbortController();
  running.set(request.id, controller);
  if (request.type === 'task') sent = request.model ?? sent;
  const model = request.type === 'task' ? sent : request.model;
  // Between two tasks the thread hears what has come meanwhile: that one is no longer wanted, say.
  queue = queue
    .then(nextTurn)
    .then(() => answer(request, model, controller.signal))
    .finally(() => running.delete(request.id));
});
try {
  loadModules(setup.job.modules, setup.folder);
} catch (error) {
  queue = Promise.reject(error);
  queue.catch(() => {}); // Every task of this slot fails with it.
}
reply({ type: 'ready' });

async function close(): Promise<void> {
  for (const controller of running.values()) controller.abort();
  await queue;
  await Promise.all([...sites.values()].map((site) => site.close()));
  await loader?.close();
  port.close();
}

async function answer(
  request: Extract<SlotRequest, { type: 'task' | 'pictures' }>,
  model: NamedTensors,
  signal: AbortSignal,
): Promise<void> {
  const { id } = request;
  try {
    signal.throwIfAborted();
    if (request.type === 'pictures') {
      return reply({ type: 'pictures', id, pictures: await drawn(request, ownTensors(model), signal) });
    }
    const { site } = request;
    const task = { ...request.task, model: receivedModel(request.modelId, model) };
    const context: ExecutorContext = {
      signal,
      progress: (progress) => reply({ type: 'progress', site, round: task.round, progress }),
    };
    const { update, durable } = await (await siteOf(site)).run(task, context);
    // The disk is slow: the next task of the queue does not wait for it.
    durable.then(() => answered(id, update)).catch((error) => fail(id, error));
  } catch (error) {
    fail(id, error);
  }
}

async function drawn(
  { site, count }: Extract<SlotRequest, { type: 'pictures' }>,
  model: NamedTensors,
  signal: AbortSignal,
): Promise<readonly Picture[]> {
  const kind = siteSetups.get(site)?.cases?.kind;
  if (kind === 'slices') return drawSlices(setup, loader?.slices(site), { site, model }, signal);
  return drawCases(setup, kind && loader?.source(site), { model, count }, signal);
}

/** The global model in this thread's own memory: one copy for the sites of the slot that are given it, which only read it. */
let received: { readonly id: number; readonly model: NamedTensors } | undefined;

function receivedModel(id: number, model: NamedTensors): NamedTensors {
  if (received?.id !== id) received = { id, model: ownTensors(model) };
  return received.model;
}

async function siteOf(name: string): Promise<Site> {
  const known = sites.get(name);
  if (known) return known;
  const site = siteSetups.get(name);
  if (!site) throw new InternalError(`This slot has no site '${name}'.`);
  const composed = await composeSite(setup, site, {
    scores,
    cases: undefined,
    slices: undefined,
    features: undefined,
    ...dataOf(site),
    write: loader?.write ?? writeHere,
    log: (message) => log(name, 'info', message),
    warn: (message) => log(name, 'warn', message),
  });
  sites.set(name, composed);
  return composed;
}

interface SiteData {
  readonly cases?: CaseSource | undefined;
  readonly slices?: SliceSource | undefined;
  readonly features?: FeatureSource | undefined;
}

/** The site's cases or slices: from the loader, or from a data set of the user's own; its values, for statistics; neither without data. */
function dataOf({ name, cases, images }: SlotSite): SiteData {
  if (cases) return cases.kind === 'slices' ? { slices: loader?.slices(name) } : { cases: loader?.source(name) };
  const { job, folder } = setup;
  const site = { job: job.name, site: name, folder, config: siteConfigOf(job, name), seed: job.seed };
  const own = createData(job.data, { ...site, log: (message) => log(name, 'info', message) });
  if (own) return 'features' in own ? { features: own } : { cases: own };
  const warn = (message: string) => log(name, 'warn', message);
  return { features: siteFeatures(job, { site: name, folder, images, warn }) };
}

/** Without a loader the site's state is small, or there is none. */
async function writeHere(path: string, parts: readonly Uint8Array[], superseded: string | undefined): Promise<void> {
  await writeStateFile(path, parts);
  await noteStateFile(path, superseded);
}

function log(site: string, level: 'info' | 'warn', message: string): void {
  reply({ type: 'log', level, site, message });
}

function fail(id: number, error: unknown): void {
  reply({ type: 'failed', id, error: errorToData(error) });
}

/** The tensors are shared, not transferred: see `tensor/update-memory.ts`. */
function answered(id: number, update: Update): void {
  const payload = { ...update.payload, tensors: sendableTensors(update.payload.tensors) };
  reply({ type: 'update', id, update: { ...update, payload } });
}

function reply(message: SlotReply): void {
  port.postMessage(message);
}
