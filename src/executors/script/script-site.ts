/**
 * What a training script sees: the site it trains for, and the tasks.
 *
 *     export default async function train(site: ScriptSite): Promise<void> {
 *       for await (const task of site.tasks()) {
 *         if (task.kind === 'validate') await task.reply({ metrics: { val_loss: score(task.model) } });
 *         else await task.reply({ weights: improve(task.model), metrics: { train_loss }, steps: 10 });
 *       }
 *     }
 *
 * @module
 */
import type { NamedTensors } from '../../tensor/tensor';
import type { Json } from '../../util/json';
import type { TrainReply, ValidateReply } from '../training-reply';

/** The default export of a training script. It runs in a worker thread of its own, from the first task to the end of the run. */
export type TrainScript = (site: ScriptSite) => Promise<void>;

/** The site that a script trains for. */
export interface ScriptSite {
  readonly name: string;
  /** Name of the job. */
  readonly job: string;
  /** Absolute path of the job's folder: resolve relative paths of your configuration from it. */
  readonly folder: string;
  /** The job's configuration for this site (`siteConfig`), plain data; null when it gives none. */
  readonly config: Json;
  /** The job's `trainer.args`, as they stand there. */
  readonly args: readonly string[];
  /** The job's seed: draw everything random from it and the site's name, and a run can be repeated. */
  readonly seed: number;
  /** Rounds of the run. */
  readonly rounds: number;
  /** What {@link saveState} kept, when the script is started again; `undefined` at the start of a run. */
  readonly state: NamedTensors | undefined;
  /** Aborts when the run is stopped or a task is given up. The script is ended 5 s later. */
  readonly signal: AbortSignal;
  /** The tasks, in order: in each round `validate` for the received model, then `train`; at the end `validate`. It ends with the run. */
  tasks(): AsyncIterable<ScriptTask>;
  /**
   * Keeps what later rounds depend on besides the model, the moments of an optimiser say; copied. Call it before the reply to
   * a `train` task. A run that is resumed gives it back as {@link state}.
   *
   * @throws ConfigError for what is no map of tensors.
   */
  saveState(state: NamedTensors): void;
  /** Writes a line into the site's log. What goes to the console comes there too. */
  log(message: string): void;
}

export type ScriptTask = TrainTask | ValidateTask;

interface TaskBase {
  /** Counted from 0. */
  readonly round: number;
  /** The received model: your own copy, to be changed in place if you like. */
  readonly model: NamedTensors;
  /** What the algorithm wants, as plain data: `{ proximalMu }` (FedProx), `{ learningRate }`; null when it wants nothing. */
  readonly settings: Json;
  /** Aborts when the task is given up: the run was stopped, or took longer than it may. */
  readonly signal: AbortSignal;
  /** Tells how far the work is: `done` of `total`, and the loss of the last step. */
  progress(done: number, total: number, loss?: number): void;
}

/** Train the model, and answer with the trained weights. The difference to the received ones is formed for you. */
export interface TrainTask extends TaskBase {
  readonly kind: 'train';
  /** By parameter: add it to each gradient (SCAFFOLD). Absent: nothing. */
  readonly correction?: NamedTensors;
  /**
   * Answers the task, once.
   *
   * @throws ConfigError for an answer that does not fit, or a second one; NonFiniteError for NaN and infinity in the weights;
   *   AbortedError when the task was given up.
   */
  reply(answer: TrainReply): Promise<void>;
}

/** Score the received model. The scores choose the best global model. */
export interface ValidateTask extends TaskBase {
  readonly kind: 'validate';
  /** Answers the task, once. @throws ConfigError for an answer that does not fit, or a second one; AbortedError when the task was given up. */
  reply(answer: ValidateReply): Promise<void>;
}
