/**
 * The loader thread: reads, transforms and augments cases off the training thread, in seeded order.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToData, InternalError } from '../../errors';
import type { TrainingSample, ValidationCase } from '../../executors/case-source';
import type { LoaderReply, LoaderRequest, SiteCases } from './loader-messages';
import { type SiteCaseReader, siteCaseReader } from './site-case-reader';

const port = parentPort!;
const readers = new Map((workerData as SiteCases[]).map((cases) => [cases.site, siteCaseReader(cases, warn)]));
const streams = new Map<number, AsyncGenerator<TrainingSample | ValidationCase>>();

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
      streams.set(
        id,
        stream.kind === 'training' ? reader.training(stream.round, stream.epochs) : reader.validation(stream.indices),
      );
      return;
    }
    case 'pull': {
      const step = await streams.get(id)?.next();
      if (!step || step.done) return reply({ type: 'end', id });
      return reply({ type: 'item', id, item: step.value }, [step.value.image.buffer, step.value.label.buffer]);
    }
    case 'close':
      streams.delete(id);
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
