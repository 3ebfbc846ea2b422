/**
 * The loader thread: reads, transforms and augments cases off the training thread, in seeded order.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, InternalError } from '../../errors';
import type { TrainingSample, ValidationCase } from '../../executors/case-source';
import { noteStateFile, writeStateFile } from '../state-file';
import type { LoaderReply, LoaderRequest, SiteCases } from './loader-messages';
import { type SiteCaseReader, siteCaseReader } from './site-case-reader';

const port = parentPort!;
const readers = new Map((workerData as SiteCases[]).map((cases) => [cases.site, siteCaseReader(cases, warn)]));
/** Streams in use. The pulls of a stream are answered one after the other, and none after an error. */
const streams = new Map<number, { items: AsyncGenerator<TrainingSample | ValidationCase>; answered: Promise<void> }>();

port.on('message', (request: LoaderRequest) => {
  answer(request).catch((error) => reply({ type: 'error', id: request.id, error: errorToData(error) }));
});

async function answer(request: LoaderRequest): Promise<void> {
  const { id } = request;
  switch (request.type) {
    case 'lists':
      return reply({ type: 'lists', id, ...(await readerOf(request.site).lists()) });
    case 'open': {
      const { stream } = request;
      const reader = readerOf(request.site);
      const items =
        stream.kind === 'training' ? reader.training(stream.round, stream.epochs) : reader.validation(stream.indices);
      streams.set(id, { items, answered: Promise.resolve() });
      return;
    }
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
    else reply({ type: 'item', id, item: step.value }, [step.value.image.buffer, step.value.label.buffer]);
  } catch (error) {
    streams.delete(id);
    reply({ type: 'error', id, error: errorToData(error) });
  }
}

function readerOf(site: string): SiteCaseReader {
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
