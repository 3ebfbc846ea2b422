/**
 * The loader thread: reads, transforms and augments cases off the training thread, in seeded order.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, InternalError } from '../../errors';
import { noteStateFile, writeStateFile } from '../state-file';
import type { LoaderItem, LoaderReply, LoaderRequest, SiteCases, StreamKind } from './loader-messages';
import { siteCaseReader } from './site-case-reader';
import { siteSliceSource } from './site-slice-source';

const port = parentPort!;
const readers = new Map((workerData as SiteCases[]).map((cases) => [cases.site, readerFor(cases)]));
/** Streams in use. The pulls of a stream are answered one after the other, and none after an error. */
const streams = new Map<number, { items: AsyncGenerator<LoaderItem>; answered: Promise<void> }>();

port.on('message', (request: LoaderRequest) => {
  answer(request).catch((error) => reply({ type: 'error', id: request.id, error: errorToData(error) }));
});

async function answer(request: LoaderRequest): Promise<void> {
  const { id } = request;
  switch (request.type) {
    case 'lists':
      return reply({ type: 'lists', id, lists: await readerOf(request.site).lists() });
    case 'open':
      streams.set(id, { items: openStream(readerOf(request.site), request.stream), answered: Promise.resolve() });
      return;
    case 'pull': {
      const stream = streams.get(id);
      if (stream) stream.answered = stream.answered.then(() => answerPull(id));
      return;
    }
    case 'write':
      await writeStateFile(request.path, request.parts);
      reply({ type: 'written', id });
      await noteStateFile(request.path, request.superseded);
      return;
    case 'close':
      streams.delete(id);
  }
}

async function answerPull(id: number): Promise<void> {
  try {
    const step = await streams.get(id)?.items.next();
    if (!step) return; // Closed meanwhile.
    if (step.done) reply({ type: 'end', id });
    else reply({ type: 'item', id, item: step.value }, memoryOf(step.value));
  } catch (error) {
    streams.delete(id);
    reply({ type: 'error', id, error: errorToData(error) });
  }
}

type Reader = ReturnType<typeof readerFor>;

function readerFor(cases: SiteCases) {
  return cases.kind === 'volumes'
    ? ({ kind: 'volumes', ...siteCaseReader(cases, warn) } as const)
    : ({ kind: 'slices', ...siteSliceSource(cases, warn) } as const);
}

function openStream(reader: Reader, stream: StreamKind): AsyncGenerator<LoaderItem> {
  if (reader.kind === 'volumes') {
    if (stream.kind === 'training') return reader.training(stream.round, stream.epochs);
    if (stream.kind === 'validation') return reader.validation(stream.indices);
  } else {
    if (stream.kind === 'batches') return reader.training(stream.round, stream.epochs, stream.batchSize);
    if (stream.kind === 'slices') return reader.cases(stream.split);
  }
  throw new InternalError(`A site with ${reader.kind} gives no ${stream.kind}.`);
}

/** The arrays of an item, which are given away with it. */
function memoryOf(item: LoaderItem): ArrayBufferLike[] {
  return Object.values(item).flatMap((field) => (field instanceof Float32Array ? [field.buffer] : []));
}

function readerOf(site: string): Reader {
  const reader = readers.get(site);
  if (!reader) throw new InternalError(`This loader has no site '${site}'.`);
  return reader;
}

function warn(site: string, message: string): void {
  reply({ type: 'warning', site, message });
}

function reply(message: LoaderReply, transfer: ArrayBufferLike[] = []): void {
  port.postMessage(message, transfer as ArrayBuffer[]);
}
