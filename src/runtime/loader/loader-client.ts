/**
 * The trainer's end of a loader thread.
 *
 * @module
 */
import type { Worker } from 'node:worker_threads';
import { EngineError, errorFromData, errorToData } from '../../errors';
import type { CaseSource, CaseStream, TrainingSample, ValidationCase } from '../../executors/case-source';
import type { SliceBatch, SliceCase, SliceLists, SliceSource } from '../../executors/slice-source';
import { spawnWorker } from '../../util/spawn-worker';
import type { CaseLists, LoaderItem, LoaderReply, LoaderRequest, SiteCases, StreamKind } from './loader-messages';

/** Samples that the loader prepares ahead of the one in use. */
const ahead = 2;

export interface LoaderClient {
  /** Of a site with volumes. */
  source(site: string): CaseSource;
  /** Of a site with slices. */
  slices(site: string): SliceSource;
  /**
   * Writes a state (see `state-file.ts`) as a whole, on the loader's thread: a training thread answers the disk only between
   * two steps. Then removes the file that it supersedes, if there is one.
   */
  write(path: string, parts: readonly Uint8Array[], superseded: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** Starts one loader thread for the given sites. `onWarning` hears what is odd about their files. */
export function startLoader(
  sites: readonly SiteCases[],
  onWarning: (site: string, message: string) => void,
): LoaderClient {
  const worker = spawnWorker(__dirname, 'loader-worker', { workerData: sites });
  let closed = false;
  const replies = routeReplies(worker, onWarning, () => closed);
  let nextId = 0;

  return {
    source: (site) => ({
      lists: () => lists<CaseLists>(site),
      training: (round, epochs) => stream<TrainingSample>(site, { kind: 'training', round, epochs }),
      validation: (indices) => stream<ValidationCase>(site, { kind: 'validation', indices }),
    }),
    slices: (site) => ({
      lists: () => lists<SliceLists>(site),
      training: (round, epochs, batchSize) => stream<SliceBatch>(site, { kind: 'batches', round, epochs, batchSize }),
      cases: (split) => stream<SliceCase>(site, { kind: 'slices', split }),
    }),
    write,
    async close() {
      closed = true;
      await worker.terminate();
    },
  };

  function newRequest(): number {
    replies.expect(nextId);
    return nextId++;
  }

  function send(request: LoaderRequest): void {
    worker.postMessage(request);
  }

  async function write(path: string, parts: readonly Uint8Array[], superseded: string | undefined): Promise<void> {
    const id = newRequest();
    send({ type: 'write', id, path, parts, superseded });
    const reply = await replies.next(id);
    replies.forget(id);
    if (reply.type !== 'written') throw unexpected(reply);
  }

  async function lists<T extends CaseLists | SliceLists>(site: string): Promise<T> {
    const id = newRequest();
    send({ type: 'lists', id, site });
    const reply = await replies.next(id);
    replies.forget(id);
    if (reply.type !== 'lists') throw unexpected(reply);
    return reply.lists as T;
  }

  function stream<T extends LoaderItem>(site: string, kind: StreamKind): CaseStream<T> {
    const id = newRequest();
    send({ type: 'open', id, site, stream: kind });
    for (let i = 0; i < ahead; i++) send({ type: 'pull', id });
    return { [Symbol.asyncIterator]: () => items<T>(id), close: () => close(id) };
  }

  async function* items<T extends LoaderItem>(id: number): AsyncGenerator<T> {
    for (;;) {
      const reply = await replies.next(id);
      if (reply.type === 'end') return;
      if (reply.type !== 'item') throw unexpected(reply);
      send({ type: 'pull', id });
      yield reply.item as T;
    }
  }

  function close(id: number): void {
    send({ type: 'close', id });
    replies.forget(id);
  }
}

function unexpected(reply: LoaderReply): Error {
  if (reply.type === 'error') return errorFromData(reply.error);
  return new EngineError(`The loader answered '${reply.type}' out of turn.`);
}

function rethrow(error: Error): never {
  throw error;
}

/** Sorts replies by request; a request may wait for its next one. The end of the thread answers every request. */
function routeReplies(worker: Worker, onWarning: (site: string, message: string) => void, closing: () => boolean) {
  /** Replies of the requests in use; what comes for a closed one is dropped. */
  const arrived = new Map<number, LoaderReply[]>();
  const waiting = new Map<number, (reply: LoaderReply) => void>();
  let failure: Error | undefined;
  worker.on('message', (reply: LoaderReply) => {
    if (reply.type === 'warning') {
      onWarning(reply.site, reply.message);
      return;
    }
    const resolve = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (resolve) resolve(reply);
    else arrived.get(reply.id)?.push(reply);
  });
  worker.on('error', (error) => fail(error));
  worker.on('exit', (code) => fail(new EngineError(`The loader thread ended with code ${code}.`)));

  return {
    expect(id: number): void {
      arrived.set(id, []);
    },
    next(id: number): Promise<LoaderReply> {
      const reply = arrived.get(id)?.shift();
      if (reply) return Promise.resolve(reply);
      if (failure) return Promise.reject(failure);
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    forget(id: number): void {
      arrived.delete(id);
      waiting.delete(id);
    },
  };

  function fail(error: Error): void {
    failure ??= error;
    for (const [id, resolve] of waiting) resolve({ type: 'error', id, error: errorToData(failure) });
    waiting.clear();
    // A trainer without its loader is of no use: its thread ends too, and the next task starts both anew.
    const cause = failure;
    if (!closing()) setImmediate(() => rethrow(cause));
  }
}
