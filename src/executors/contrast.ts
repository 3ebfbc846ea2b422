/**
 * A site's side of the contrast term of FedMRI (Feng et al. 2022, https://arxiv.org/abs/2112.05752), around a trainer that knows
 * `context.contrast`: the model comes with the shared weights that each site had after its last training, and the loss gets
 *
 *     β·‖θ − θ_received‖₁ / (Σ_j ‖θ − θ_j‖₁ + 1e-14)
 *
 * over the shared parameters θ. In the first round nobody has trained, and there is no such term.
 *
 * @module
 */

import { splitPrevious } from '../protocol/previous-weights';
import type { NamedTensors } from '../tensor/tensor';
import type { Executor } from './executor';

/** The executor with the term in its training. */
export function withContrast(inner: Executor, { beta }: { readonly beta: number }): Executor {
  return {
    ...inner,
    execute(task, context) {
      const { model, previous } = splitPrevious(task.model);
      const sites = [...previous.values()];
      const [first] = sites;
      if (!first || task.kind !== 'train') return inner.execute({ ...task, model }, context);
      const server: NamedTensors = new Map([...first.keys()].map((name) => [name, model.get(name)!]));
      return inner.execute({ ...task, model }, { ...context, contrast: { beta, server, previous: sites } });
    },
  };
}
