/**
 * The training of a simulated site: a few numbers, arithmetic that depends on the model, the site's own state, the site and the
 * round, and a while of virtual time. It fails and dawdles where it is told to.
 *
 * @module
 */
import type { Executor, ExecutorContext } from '../../src/executors/executor';
import type { Filter } from '../../src/filters/filter';
import type { Task } from '../../src/protocol/messages';
import { safetensorsParts } from '../../src/tensor/safetensors';
import type { NamedTensors, Tensor } from '../../src/tensor/tensor';
import type { Clock } from '../../src/util/clock';
import { delay } from '../../src/util/clock';
import { sha256Of } from '../../src/util/sha256';

/** Something that must never leave a site, in an error's words. */
export const canary = 'CANARY-patient-4711';

export interface ToyTraining {
  readonly site: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Longest a task takes, milliseconds. */
  readonly mostMs: number;
  /** Whether this task fails, once. */
  readonly fails: () => boolean;
  /** Told of the model of each training that begins. */
  readonly asked: (round: number, model: NamedTensors) => void;
  /** Told of each training that is done. */
  readonly trained: (training: Training) => void;
}

/** What a training began with and came to, before any filter. */
export interface Training {
  readonly site: string;
  readonly round: number;
  readonly score: number;
  readonly before: Float32Array | undefined;
  readonly after: Float32Array;
}

export function toyExecutor({ site, clock, random, mostMs, fails, asked, trained }: ToyTraining): Executor {
  let momentum: Float32Array | undefined;
  return {
    state: () => (momentum ? new Map([['momentum', tensorOf(momentum)]]) : undefined),
    restore(state) {
      const saved = state?.get('momentum')?.data as Float32Array | undefined;
      momentum = saved && Float32Array.from(saved);
    },
    async execute(task: Task, { signal, progress }: ExecutorContext) {
      if (task.kind === 'train') asked(task.round, task.model);
      await delay(clock, 1 + random() * mostMs, signal);
      progress({ phase: 'validate', done: 1, total: 1 });
      if (fails()) throw new Error(`voxel 17 of ${canary} is NaN`);
      const metrics = { score: scoreOf(task.model) };
      const seconds = { validate: 0, train: 0 };
      if (task.kind === 'validate') {
        return { payload: { kind: 'metrics', tensors: new Map(), metrics, steps: 0 }, seconds };
      }
      const { diff, next } = step(task.model, momentum, site, task.round);
      trained({ site, round: task.round, ...metrics, before: momentum, after: next });
      momentum = next;
      return { payload: { kind: 'weight-diff', tensors: diff, metrics, steps: stepsOf(site) }, seconds };
    },
  };
}

/** Weights of the sites differ. */
function stepsOf(site: string): number {
  return 1 + Number(site.split('-')[1]);
}

/** Of a model as it is sent. */
export function digestOf(model: NamedTensors): string {
  return sha256Of(...safetensorsParts(model));
}

function scoreOf(model: NamedTensors): number {
  return Number(model.get('w')!.data[0]);
}

function step(model: NamedTensors, momentum: Float32Array | undefined, site: string, round: number) {
  const w = model.get('w')!.data as Float32Array;
  const target = stepsOf(site) * 10 + (round % 3);
  const next = Float32Array.from(w, (value, i) => 0.9 * (momentum?.[i] ?? 0) + 0.1 * (target + i - value));
  next[orderSensitive] = bigOf(site) ?? target / 7;
  return { diff: new Map([['w', tensorOf(next)]]) as NamedTensors, next };
}

/** A number whose sum over the sites depends on the order in which they are added. */
const orderSensitive = 6;

/** Of the first two sites: weighted, they cancel out, and swallow what is added between them. */
function bigOf(site: string): number | undefined {
  const steps = stepsOf(site);
  return steps > 3 ? undefined : ((steps === 2 ? 1 : -1) * 6 * 2 ** 60) / steps;
}

export function tensorOf(data: Float32Array): Tensor {
  return { dtype: 'float32', shape: [data.length], data };
}

/** Books ε = 1 a call, then adds noise that is new in every call. */
export function noiseFilter(random: () => number, called: () => void): Filter {
  return {
    name: 'noise',
    accepts: ['weight-diff'],
    async apply(payload, { charge }) {
      await charge('noise', {
        mechanism: 'toy',
        differentiallyPrivate: true,
        epsilon: 1,
        delta: 0,
        unit: 'a site',
        details: {},
      });
      called();
      const w = payload.tensors.get('w')!;
      const noised = (w.data as Float32Array).map((value) => value + random() - 0.5);
      return { ...payload, tensors: new Map([['w', tensorOf(noised)]]) };
    },
  };
}
