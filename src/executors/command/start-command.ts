/**
 * A site's end of its training program: starts it, speaks frames with it, and says clearly what went wrong.
 *
 * @module
 */
import { basename } from 'node:path';
import { DataError, errorToData, isConsiliumError, SiteFailedError } from '../../errors';
import { decodeSafetensors, safetensorsParts } from '../../tensor/safetensors';
import { type NamedTensors, sizeInBytes } from '../../tensor/tensor';
import type { StrictJson } from '../../util/strict-json';
import type { ExternalCode, ExternalReply, ExternalTask } from '../external-trainer';
import { lineSplitter } from '../line-splitter';
import { checkTrainReply, checkValidateReply } from '../training-reply';
import type { TrainingSite } from '../training-site';
import { encodeFrame, type Frame, frameReader } from './frames';
import { startGroup } from './process-group';
import { type FromProgram, parseFromProgram, protocolVersion, type ToProgram } from './trainer-messages';

export interface StartCommandOptions {
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly place: TrainingSite;
  readonly rounds: number;
  /** What it saved before. */
  readonly state: NamedTensors | undefined;
  /** How long the program may take to end, milliseconds: after `bye` and after SIGTERM; and after `abort`. */
  readonly grace: { readonly end: number; readonly abort: number };
}

interface Pending {
  readonly id: number;
  readonly task: ExternalTask;
  readonly progress: (done: number, total: number, loss?: number) => void;
  readonly resolve: (reply: ExternalReply) => void;
  readonly reject: (error: Error) => void;
}

/** Room for the header of a safetensors payload. */
const headerRoom = 2 ** 20 + 8;

/** Starts a program. */
export function startCommand({ command, place, rounds, state, grace }: StartCommandOptions): ExternalCode {
  const [program, ...args] = command;
  const { job, site, folder, config, seed, log } = place;
  const what = `The program '${basename(program)}'`;
  const group = startGroup(program, args, folder);
  const { stdin, stdout, stderr } = group.child;
  let pending: Pending | undefined;
  let saved: NamedTensors | undefined;
  let greeted = false;
  let tasks = 0;
  /** What came last on standard error. */
  let lastWords = '';
  /** Why it takes no more tasks. */
  let failure: Error | undefined;

  const lines = lineSplitter((line) => {
    lastWords = line;
    log(line);
  });
  stderr.setEncoding('utf8').on('data', lines.push).on('end', lines.end);
  const reader = frameReader({ payloadLimit, onFrame: receive });
  stdout.on('data', (chunk: Uint8Array) => {
    if (failure) return; // After what is no frame, no frame can be found again.
    try {
      reader.push(chunk);
    } catch (error) {
      refuse(error);
    }
  });
  void group.ended.then(gone);
  send({ type: 'hello', protocol: protocolVersion, job, site, folder, config, seed, rounds }, state);

  return {
    ask(task, progress) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        pending = { id: tasks++, task, progress, resolve, reject };
        const { kind, round, settings, correction } = task;
        const header = { type: 'task', id: pending.id, kind, round, settings } as const;
        if (!correction) send(header, task.model);
        else send({ ...header, correction: true }, withCorrection(task.model, correction));
      });
    },
    saved: () => saved,
    async stop(how) {
      send({ type: how === 'end' ? 'bye' : 'abort' });
      stdin.end();
      if (await group.endedWithin(grace[how])) return;
      if (how === 'end') log(`${what} did not end within ${grace.end / 1000} s of its 'bye' and was stopped.`);
      group.kill('SIGTERM');
      if (!(await group.endedWithin(grace.end))) group.kill('SIGKILL');
      await group.ended;
    },
  };

  function send(message: ToProgram, tensors?: NamedTensors): void {
    if (!stdin.writable) return; // It is ending; why is told when it has.
    for (const piece of encodeFrame(message, tensors && safetensorsParts(tensors))) stdin.write(piece);
  }

  /** Sizes are known before memory is taken: an answer is as large as the model, a state a few times that. */
  function payloadLimit(header: StrictJson): number {
    const message = parseFromProgram(header);
    if (message.type === 'reply') {
      const { task } = openTask(message.id);
      return task.kind === 'train' ? sizeInBytes(task.model) + headerRoom : 0;
    }
    if (message.type !== 'state') return 0;
    return 8 * (pending ? sizeInBytes(pending.task.model) : 0) + 64 * 2 ** 20;
  }

  function receive({ header, payload }: Frame): void {
    const message = parseFromProgram(header);
    if (!greeted && message.type !== 'hello') throw new DataError(`'${message.type}' came before 'hello'`);
    switch (message.type) {
      case 'hello':
        greet(message.protocol);
        return;
      case 'log':
        log(message.message);
        return;
      case 'progress':
        if (message.id === pending?.id) pending.progress(message.done, message.total, message.loss ?? undefined);
        return;
      case 'state':
        saved = decodeSafetensors(payload).tensors;
        return;
      case 'error':
        fail(`failed${during()}: ${message.message}`, "Its standard error is in the site's log.");
        return;
      case 'reply':
        answer(message, payload);
    }
  }

  function greet(protocol: number): void {
    if (protocol === protocolVersion) greeted = true;
    else throw new DataError(`it speaks version ${protocol} of the protocol; this is version ${protocolVersion}`);
  }

  function answer({ id, metrics, steps }: Extract<FromProgram, { type: 'reply' }>, payload: Uint8Array): void {
    const { task, resolve } = openTask(id);
    const reply =
      task.kind === 'train'
        ? checkTrainReply({ weights: decodeSafetensors(payload).tensors, metrics, steps }, task.model)
        : { ...checkValidateReply({ metrics }), weights: new Map(), steps: 0 };
    pending = undefined;
    resolve(reply);
  }

  function openTask(id: number): Pending {
    if (pending?.id === id) return pending;
    const asked = pending ? `task ${pending.id} was asked` : 'no task was open';
    throw new DataError(`a reply to task ${id} came, but ${asked}`);
  }

  /** What it sent cannot be taken. An error about the answer itself speaks for itself. */
  function refuse(error: unknown): void {
    if (isConsiliumError(error) && !(error instanceof DataError)) {
      settle(error);
      return;
    }
    const hint =
      'Standard output is for frames only: print to standard error, and see docs/reference/trainer-protocol.md.';
    fail(`broke the protocol${during()}: ${errorToData(error).message}`, hint, error);
  }

  function gone(how: string): void {
    lines.end();
    const unfinished = reader.unfinished();
    const middle = unfinished === undefined ? '' : `, after ${unfinished}`;
    const words = lastWords === '' ? '' : ` Its last words: ${lastWords}`;
    fail(`${how}${middle}${during()}.${words}`, "Its standard error is in the site's log.");
  }

  function during(): string {
    return pending ? ` (${pending.task.kind} task of round ${pending.task.round})` : '';
  }

  function fail(happened: string, hint: string, cause?: unknown): void {
    settle(new SiteFailedError(`${what} ${happened}`, { hint, cause }));
  }

  function settle(error: Error): void {
    failure ??= error;
    pending?.reject(failure);
    pending = undefined;
  }
}

/** The tensors of one payload. */
function withCorrection(model: NamedTensors, correction: NamedTensors): NamedTensors {
  return new Map([...model, ...[...correction].map(([name, one]) => [`correction/${name}`, one] as const)]);
}
