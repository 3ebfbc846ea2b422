/**
 * What single sites had after their last training, on its way to all of them (FedMRI's contrast term): tensors beside the model's,
 * under names of their own. So filters, journal, checkpoints and transport handle them as they handle the model's.
 *
 * @module
 */
import type { NamedTensors, Tensor } from '../tensor/tensor';

const prefix = 'previous/';

/** The tensors of a site under their names in the model: `previous/<site>/<name>`. */
export function previousOf(site: string, weights: NamedTensors): NamedTensors {
  return new Map([...weights].map(([name, tensor]) => [`${prefix}${site}/${name}`, tensor]));
}

/** Those tensors that {@link previousOf} named. */
export function allPrevious(tensors: NamedTensors): NamedTensors {
  return new Map([...tensors].filter(([name]) => name.startsWith(prefix)));
}

export interface SplitPrevious {
  readonly model: NamedTensors;
  /** By site, the weights under their names in the model. */
  readonly previous: ReadonlyMap<string, NamedTensors>;
}

/** A model and the weights of sites beside it, apart. */
export function splitPrevious(tensors: NamedTensors): SplitPrevious {
  const previous = new Map<string, Map<string, Tensor>>();
  const model = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (!name.startsWith(prefix)) {
      model.set(name, tensor);
      continue;
    }
    const end = name.indexOf('/', prefix.length); // Names of sites have no slash.
    const site = name.slice(prefix.length, end);
    previous.set(site, (previous.get(site) ?? new Map<string, Tensor>()).set(name.slice(end + 1), tensor));
  }
  return { model: previous.size === 0 ? tensors : model, previous };
}
