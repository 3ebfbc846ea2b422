/**
 * What the server keeps of single sites for FedMRI's contrast term: the shared parameters that each had after its last training.
 *
 * @module
 */
import type { SiteUpdate } from '../aggregators/aggregator';
import { previousOf, splitPrevious } from '../protocol/previous-weights';
import { floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import type { AskOptions } from './ask-sites';
import type { WorkflowParts, WorkflowState } from './workflow';

type Folding = Required<Pick<AskOptions, 'add'>> & Pick<AskOptions, 'skip'>;

export interface KeptPrevious {
  /** Takes updates as before, and keeps what their sites share. */
  readonly folding: Folding;
  /** What is kept after the round, in the order of the sites: of those that were not heard, what was kept before. */
  kept(): NamedTensors;
}

/** Keeps the shared parameters of the sites whose updates are taken. */
export function keepPrevious(
  folding: Folding,
  { model, memory }: Pick<WorkflowState, 'model' | 'memory'>,
  { parameters, personal, sites }: Pick<WorkflowParts, 'parameters' | 'personal' | 'sites'>,
): KeptPrevious {
  const shared = [...parameters].filter((name) => !personal?.has(name));
  const heard = new Map<string, NamedTensors>();
  return {
    folding: {
      ...folding,
      add(update, release, reload) {
        const weights = weightsAfter(model, update, shared); // What is taken may be given back at once.
        const added = folding.add(update, release, reload);
        heard.set(update.site, weights);
        return added;
      },
    },
    kept() {
      const before = splitPrevious(memory).previous;
      const all = sites.names.flatMap((site) => {
        const weights = heard.get(site) ?? before.get(site);
        return weights ? [...previousOf(site, weights)] : [];
      });
      return new Map(all);
    },
  };
}

/** A site's parameters of these names after its training, in memory of their own. */
function weightsAfter(
  model: NamedTensors,
  { payload: { kind, tensors } }: Pick<SiteUpdate, 'payload'>,
  names: readonly string[],
): NamedTensors {
  const weights = names.map((name): [string, Tensor] => {
    const sent = tensors.get(name);
    const before = model.get(name)!;
    if (!sent || sent.data.length !== before.data.length) return [name, before]; // The update will be refused.
    const data = floatsOf(sent).slice();
    const from = floatsOf(before);
    if (kind !== 'weights') for (let i = 0; i < data.length; i++) data[i]! += from[i]!;
    return [name, { ...before, data }];
  });
  return new Map(weights);
}
