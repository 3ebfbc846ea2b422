/**
 * A site's side of SCAFFOLD (Karimireddy et al. 2020, https://arxiv.org/abs/1910.06378, option II), around any trainer.
 *
 * The site keeps c_i, zero at first. A `train` task brings x and c; the trainer adds c − c_i to each gradient and takes K steps
 * of rate η from x to y. Then
 *
 *     c_i⁺ = c_i − c + (x − y) / (K·η)
 *
 * and the site sends Δy = y − x and Δc = c_i⁺ − c_i.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { joinControls, splitControls } from '../protocol/control-variates';
import type { Payload } from '../protocol/payload';
import { trainSettings } from '../protocol/train-settings';
import { allocate, floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import type { Executor } from './executor';

/** The executor with control variates: it takes and gives them, and hands the inner one the correction. */
export function withControlVariates(inner: Executor): Executor {
  /** c_i, by parameter. */
  let own: NamedTensors | undefined;
  return {
    async execute(task, context) {
      if (task.kind !== 'train') return inner.execute(task, context);
      const { model, controls } = splitControls(task.model);
      const before = own ?? zerosLike(controls);
      const correction = corrections(controls, before);
      const result = await inner.execute({ ...task, model }, { ...context, correction });
      const { payload } = result;
      requireDifference(payload);
      const rate = result.rateSum ?? payload.steps * requireRate(trainSettings(task).learningRate);
      own = nextControls(before, controls, payload.tensors, rate);
      const tensors = joinControls(payload.tensors, corrections(own, before));
      return { ...result, payload: { ...payload, kind: 'weight-control-diff', tensors } };
    },
    state() {
      const state = inner.state() ?? new Map();
      return own ? joinControls(state, own) : state;
    },
    restore(state) {
      const { model, controls } = splitControls(state ?? new Map());
      own = controls.size > 0 ? controls : undefined;
      inner.restore(model.size > 0 ? model : undefined);
    },
    close: async () => inner.close?.(),
  };
}

function requireDifference({ kind }: Payload): void {
  if (kind === 'weight-diff') return;
  throw new ConfigError(`SCAFFOLD needs the differences that training made, but the trainer gave '${kind}'.`, {
    hint: "Set the trainer's transfer to 'weight-diff'.",
  });
}

function requireRate(rate: number | undefined): number {
  if (rate !== undefined) return rate;
  throw new ConfigError('SCAFFOLD needs the learning rate of the sites, which this trainer does not tell.', {
    hint: 'Set learningRate of the workflow, and train with the learningRate among the settings of the task.',
  });
}

function zerosLike(tensors: NamedTensors): NamedTensors {
  return mapControls(tensors, () => () => 0);
}

/** a − b, number by number: c − c_i, and c_i⁺ − c_i. */
function corrections(a: NamedTensors, b: NamedTensors): NamedTensors {
  return mapControls(a, (name, values) => {
    const others = floatsOf(b.get(name)!);
    return (i) => values[i]! - others[i]!;
  });
}

/** c_i⁺, in float64 and rounded once. `rate` is K·η. */
function nextControls(own: NamedTensors, server: NamedTensors, change: NamedTensors, rate: number): NamedTensors {
  return mapControls(own, (name, ci) => {
    const c = floatsOf(server.get(name)!);
    const moved = floatsOf(change.get(name)!); // y − x
    return (i) => ci[i]! - c[i]! - moved[i]! / rate;
  });
}

function mapControls(
  controls: NamedTensors,
  rule: (name: string, values: Float32Array | Float64Array) => (i: number) => number,
): NamedTensors {
  const mapped = [...controls].map(([name, control]): [string, Tensor] => {
    const at = rule(name, floatsOf(control));
    const data = allocate(control.dtype, control.data.length) as Float32Array | Float64Array;
    for (let i = 0; i < data.length; i++) data[i] = at(i);
    return [name, { ...control, data }];
  });
  return new Map(mapped);
}
