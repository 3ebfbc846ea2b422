/**
 * The script's end: the site object, over messages.
 *
 * @module
 */
import { AbortedError, ConfigError } from '../../errors';
import { ownTensors } from '../../tensor/shared-tensors';
import { bytesOf, type NamedTensors } from '../../tensor/tensor';
import type { ExternalReply, ExternalTask } from '../external-trainer';
import { checkTensors, checkTrainReply, checkValidateReply } from '../training-reply';
import type { FromScript, ScriptSetup, ToScript } from './script-messages';
import type { ScriptSite, ScriptTask } from './script-site';

export interface ScriptClient {
  readonly site: ScriptSite;
  receive(message: ToScript): void;
}

/** The site for a script, which tells what happens by `post`. */
export function scriptClient(
  setup: ScriptSetup,
  post: (message: FromScript, transfer?: ArrayBuffer[]) => void,
): ScriptClient {
  const { name, job, folder, config, args, seed, rounds, state } = setup;
  const stopped = new AbortController();
  const waiting: ExternalTask[] = [];
  let ended = false;
  /** Told when a task has come, or no more will. */
  let wake = () => {};
  /** The task that the script has taken and not answered. */
  let open: ExternalTask | undefined;

  const site: ScriptSite = {
    ...{ name, job, folder, config, args, seed, rounds, state },
    signal: stopped.signal,
    tasks: () => ({ [Symbol.asyncIterator]: () => ({ next }) }),
    saveState(tensors) {
      checkTensors(tensors, 'The tensors of a state');
      const own = ownTensors(tensors);
      post({ type: 'state', state: own }, memoryOf(own));
    },
    log: (message) => post({ type: 'log', message: String(message) }),
  };
  return { site, receive };

  function receive(message: ToScript): void {
    if (message.type === 'task') waiting.push(message);
    else ended = true;
    if (message.type === 'stop' && message.how === 'abort') stopped.abort(new AbortedError('The task was stopped.'));
    wake();
  }

  async function next(): Promise<IteratorResult<ScriptTask, undefined>> {
    if (open && !ended) {
      throw new ConfigError(`The script went on without answering the ${open.kind} task of round ${open.round}.`, {
        hint: 'Call `await task.reply(…)` for every task; a script that does not validate replies { metrics: {} }.',
      });
    }
    while (!ended && waiting.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (ended) return { done: true, value: undefined };
    open = waiting.shift()!;
    return { done: false, value: taskFrom(open) };
  }

  function taskFrom(task: ExternalTask): ScriptTask {
    const { kind, round, model, settings, correction } = task;
    const base = {
      ...{ round, model, settings, signal: stopped.signal },
      progress: (done: number, total: number, loss?: number) => post({ type: 'progress', done, total, loss }),
    };
    // The script may train in place, so what its answer has to look like is kept apart.
    const form = new Map([...model].map(([key, { dtype, shape }]) => [key, { dtype, shape: [...shape] }]));
    if (kind === 'train')
      return {
        ...base,
        kind,
        ...(correction && { correction }),
        reply: async (given) => answer(task, () => checkTrainReply(given, form)),
      };
    return { ...base, kind, reply: async (given) => answer(task, () => withoutWeights(checkValidateReply(given))) };
  }

  async function answer(task: ExternalTask, check: () => ExternalReply): Promise<void> {
    stopped.signal.throwIfAborted();
    if (open !== task) {
      throw new ConfigError(`The ${task.kind} task of round ${task.round} was answered already.`, {
        hint: 'Call task.reply once for each task.',
      });
    }
    const checked = check();
    // Names may share memory, and the script may keep its own: each tensor leaves in a copy.
    const weights = ownTensors(checked.weights);
    open = undefined;
    post({ type: 'reply', reply: { ...checked, weights } }, memoryOf(weights));
  }
}

function withoutWeights({ metrics }: { readonly metrics: ExternalReply['metrics'] }): ExternalReply {
  return { weights: new Map(), metrics, steps: 0 };
}

function memoryOf(tensors: NamedTensors): ArrayBuffer[] {
  return [...tensors.values()].map((tensor) => bytesOf(tensor).buffer as ArrayBuffer);
}
