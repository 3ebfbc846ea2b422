/**
 * A site's side of Ditto (Li et al. 2021, https://arxiv.org/abs/2012.04221), around any trainer: beside its part in the global
 * model w, each site trains a model v of its own that is held near the global one,
 *
 *     min_v  F(v) + (λ/2)·‖v − w‖²
 *
 * where w is what it received in the round; v starts as the first model that came. The two are trained by trainers of their own,
 * w first, so that each has its own optimiser state. Only w's update leaves the site, and metrics of v with `personal_` before
 * their names.
 *
 * @module
 */
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import type { Executor, ExecutorResult } from './executor';
import { copied, trainedModel } from './personal-tensors';
import { joinStates, splitStates } from './state-parts';

export interface DittoOptions {
  /** λ ≥ 0. */
  readonly lambda: number;
  /** Writes the site's own model; durable when it resolves. */
  readonly keep: (model: NamedTensors) => Promise<void>;
}

/** An executor of two trainers: `global` trains what is sent, `personal` what stays. */
export function withDitto(global: Executor, personal: Executor, { lambda, keep }: DittoOptions): Executor {
  /** v, after its last training. */
  let own: NamedTensors | undefined;
  return {
    async execute(task, context) {
      if (task.kind !== 'train' && task.kind !== 'validate') return global.execute(task, context);
      const result = await global.execute(task, context);
      const model = own ?? task.model;
      const settings = { proximalMu: lambda };
      const ofOwn = await personal.execute({ ...task, model, settings }, { ...context, reference: task.model });
      if (task.kind === 'train') own = copied(trainedModel(model, ofOwn));
      else await keep(model);
      return joined(result, ofOwn);
    },
    state: () => joinStates({ global: global.state(), personal: personal.state(), own }),
    restore(state) {
      const parts = splitStates(state, ['global', 'personal', 'own']);
      own = parts.own;
      global.restore(parts.global);
      personal.restore(parts.personal);
    },
    async close() {
      await global.close?.();
      await personal.close?.();
    },
  };
}

function joined(global: ExecutorResult, { payload: { metrics }, seconds }: ExecutorResult): ExecutorResult {
  return {
    ...global,
    payload: { ...global.payload, metrics: { ...global.payload.metrics, ...personalMetrics(metrics) } },
    seconds: {
      validate: global.seconds.validate + seconds.validate,
      train: global.seconds.train + seconds.train,
    },
  };
}

function personalMetrics(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`personal_${name}`, value]));
}
