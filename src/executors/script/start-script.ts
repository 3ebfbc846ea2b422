/**
 * A site's end of its training script: starts the worker, hands it tasks, and says clearly what went wrong.
 *
 * @module
 */
import { basename } from 'node:path';
import { type ErrorData, errorFromData, isConsiliumError, SiteFailedError } from '../../errors';
import { ownTensors } from '../../tensor/shared-tensors';
import type { NamedTensors } from '../../tensor/tensor';
import { spawnWorker } from '../../util/spawn-worker';
import type { ExternalCode, ExternalReply, ExternalTask } from '../external-trainer';
import { lineSplitter } from '../line-splitter';
import type { FromScript, ScriptSetup, ToScript } from './script-messages';

export interface StartScriptOptions {
  readonly setup: ScriptSetup;
  /** A line for the site's log. */
  readonly log: (message: string) => void;
  /** How long a script may take to end when it is asked to, milliseconds. */
  readonly grace: number;
}

interface Pending {
  readonly task: ExternalTask;
  readonly progress: (done: number, total: number, loss?: number) => void;
  readonly resolve: (reply: ExternalReply) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a script. */
export function startScript({ setup, log, grace }: StartScriptOptions): ExternalCode {
  const what = `The script '${basename(setup.file)}'`;
  const worker = spawnWorker(__dirname, 'script-worker', { workerData: setup, stdout: true, stderr: true });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let pending: Pending | undefined;
  let saved: NamedTensors | undefined;
  let answered = 0;
  let stopping = false;
  /** Why it takes no more tasks. */
  let failure: Error | undefined;

  for (const stream of [worker.stdout, worker.stderr]) {
    const lines = lineSplitter(log);
    stream.setEncoding('utf8').on('data', lines.push).on('end', lines.end);
  }
  worker.on('message', receive);
  worker.on('error', threw);
  worker.on('exit', (code) => {
    fail(
      new SiteFailedError(`${what} called exit(${code})${during()}.`, {
        hint: 'Let it return, or throw an error.',
      }),
    );
  });

  return {
    ask(task, progress) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        pending = { task, progress, resolve, reject };
        send({ type: 'task', ...task, model: ownTensors(task.model) });
      });
    },
    saved: () => saved,
    async stop(how) {
      stopping = true;
      send({ type: 'stop', how });
      const timer = setTimeout(() => {
        log(`${what} did not end within ${grace / 1000} s and was stopped.`);
        void worker.terminate();
      }, grace);
      await exited;
      clearTimeout(timer);
    },
  };

  function send(message: ToScript): void {
    worker.postMessage(message);
  }

  function receive(message: FromScript): void {
    switch (message.type) {
      case 'reply':
        answered++;
        pending?.resolve(message.reply);
        pending = undefined;
        return;
      case 'progress':
        pending?.progress(message.done, message.total, message.loss);
        return;
      case 'state':
        saved = message.state;
        return;
      case 'log':
        log(message.message);
        return;
      case 'ended':
        fail(
          new SiteFailedError(`${what} ended its loop after ${answered} answers, but the run goes on${during()}.`, {
            hint: 'Answer every task of `for await (const task of site.tasks())`: it ends by itself with the run.',
          }),
        );
        return;
      case 'threw':
        threw(message.ours ? errorFromData(message.error) : plainError(message.error));
    }
  }

  /** The stack stays in the site's log. */
  function threw(cause: Error): void {
    if (!stopping) log(`${what} threw${during()}:\n${cause.stack ?? cause.message}`);
    // One of ours, such as that an answer does not fit, speaks for itself.
    const hint = "Its stack is in the site's log.";
    fail(
      isConsiliumError(cause)
        ? cause
        : new SiteFailedError(`${what} threw${during()}: ${cause.message}`, { cause, hint }),
    );
  }

  function during(): string {
    return pending ? ` (${pending.task.kind} task of round ${pending.task.round})` : '';
  }

  function fail(error: Error): void {
    failure ??= error;
    pending?.reject(failure);
    pending = undefined;
  }
}

function plainError({ message, stack }: ErrorData): Error {
  return Object.assign(new Error(message), stack !== undefined && { stack });
}
