import type { Task } from '../protocol/messages';
import type { Payload } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';

/** Where an executor stands within a task. */
export interface Progress {
  readonly phase: 'validate' | 'train';
  readonly done: number;
  readonly total: number;
  /** Loss of the last step, while training. */
  readonly loss?: number;
}

export interface ExecutorContext {
  readonly signal: AbortSignal;
  /** By parameter: what training adds to each gradient (SCAFFOLD's c − c_i). Absent: nothing. */
  readonly correction?: NamedTensors;
  /** What a proximal term holds the weights near. Absent: the received model, as `proximalReference` of the task says. */
  readonly reference?: NamedTensors;
  /**
   * By parameter, uint8: 1 where a number is the site's own, 0 where it is shared (FedSelect). Where some are its own, each epoch
   * goes over the samples twice: first only those move, then only the others. Absent: all are shared.
   */
  readonly own?: NamedTensors;
  /**
   * FedMRI: β·‖w − server‖₁ / Σ‖w − previous‖₁ is added to the loss, over the parameters of `server`, but for the first step of each
   * epoch, as the published code does. Absent: nothing.
   */
  readonly contrast?: {
    readonly beta: number;
    readonly server: NamedTensors;
    readonly previous: readonly NamedTensors[];
  };
  progress(progress: Progress): void;
}

export interface ExecutorResult {
  readonly payload: Payload;
  readonly seconds: { readonly validate: number; readonly train: number };
  /** Sum of the learning rates of all steps, where the trainer has its own. */
  readonly rateSum?: number;
  /** The trained model itself, where the trainer has it: a difference gives it back but for rounding. It may change later. */
  readonly trained?: NamedTensors;
}

/** The site's side of the tasks. It keeps its own state (optimiser moments, personal layers) from round to round. */
export interface Executor {
  execute(task: Task, context: ExecutorContext): Promise<ExecutorResult>;
  /** What a later round depends on, as tensors; `undefined` before the first training. */
  state(): NamedTensors | undefined;
  /** Puts a state back; `undefined` is a fresh start. */
  restore(state: NamedTensors | undefined): void;
  /** Called when the run ends: ends workers and processes of the executor. */
  close?(): Promise<void>;
}
