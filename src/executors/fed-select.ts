/**
 * A site's side of FedSelect (Tamirisa et al. 2024, https://arxiv.org/abs/2404.02478), around a trainer that knows
 * `context.own`: single numbers of the model become the site's own where training moves them most.
 *
 * The site loads what the server sends for the numbers that are shared, and keeps its own. It trains both, its own first, and sends
 * the change of the shared ones and which they are. Every `every` rounds, but not in the first, of each tensor with `weight` in its
 * name the share of the still shared numbers that training moved furthest becomes the site's own, until more than `most` of the
 * tensor is.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { joinShares } from '../protocol/shared-shares';
import { floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import { sendableTensors } from '../tensor/update-memory';
import type { Executor, ExecutorResult } from './executor';
import { copied, trainedModel } from './personal-tensors';
import { joinStates, splitStates } from './state-parts';

export interface FedSelectOptions {
  /** Rounds from one choice to the next. */
  readonly every: number;
  /** Share of a tensor's shared numbers that a choice takes, (0, 1]. */
  readonly share: number;
  /** A tensor of which a larger share is the site's own gives no more, [0, 1]. */
  readonly most: number;
  /** Names of the tensors that training moves. */
  readonly parametersOf: (model: NamedTensors) => ReadonlySet<string>;
  /** Writes the site's own model; durable when it resolves. */
  readonly keep: (model: NamedTensors) => Promise<void>;
}

/** The executor that keeps numbers for itself: which, and their values, are part of its state. */
export function withOwnNumbers(inner: Executor, options: FedSelectOptions): Executor {
  /** By parameter: 1 where the number is the site's own. */
  let masks: NamedTensors | undefined;
  /** The parameters after the last training. */
  let last: NamedTensors | undefined;
  return {
    async execute(task, context) {
      if (task.kind !== 'train' && task.kind !== 'validate') return inner.execute(task, context);
      const { model, round } = task;
      const own = masks ?? sharedMasks(model, options.parametersOf(model));
      // Without numbers of its own the site has the very model that came, and shares its scores with others.
      const start = last && hasOwn(own) ? merged(model, last, own) : model;
      if (task.kind === 'validate') {
        const result = await inner.execute({ ...task, model: start }, context);
        await options.keep(start);
        return result;
      }
      const result = await inner.execute({ ...task, model: start }, { ...context, own });
      requireDifference(result);
      const trained = trainedModel(start, result);
      const payload = asSent(result, own);
      last = copied(new Map([...trained].filter(([name]) => own.has(name))));
      masks = round > 0 && round % options.every === 0 ? chosen(own, start, last, options) : own;
      return { ...result, payload };
    },
    state: () => joinStates({ trainer: inner.state(), masks, last }),
    restore(state) {
      const parts = splitStates(state, ['trainer', 'masks', 'last']);
      ({ masks, last } = { masks: parts.masks, last: parts.last });
      inner.restore(parts.trainer);
    },
    close: async () => inner.close?.(),
  };
}

function sharedMasks(model: NamedTensors, parameters: ReadonlySet<string>): NamedTensors {
  const trained = [...model].filter(([name]) => parameters.has(name));
  return new Map(
    trained.map(([name, { shape, data }]) => [name, { dtype: 'uint8', shape, data: new Uint8Array(data.length) }]),
  );
}

function hasOwn(masks: NamedTensors): boolean {
  return [...masks.values()].some(({ data }) => (data as Uint8Array).includes(1));
}

/** The received model with the site's own numbers. */
function merged(model: NamedTensors, last: NamedTensors, masks: NamedTensors): NamedTensors {
  return new Map(
    [...model].map(([name, tensor]): [string, Tensor] => {
      const mask = masks.get(name)?.data as Uint8Array | undefined;
      if (!mask?.includes(1)) return [name, tensor];
      const data = floatsOf(tensor).slice();
      const own = floatsOf(last.get(name)!);
      for (let i = 0; i < data.length; i++) if (mask[i] === 1) data[i] = own[i]!;
      return [name, { ...tensor, data }];
    }),
  );
}

/** The changes of the shared numbers, none of the others, and which are shared. */
function asSent({ payload }: ExecutorResult, masks: NamedTensors): ExecutorResult['payload'] {
  const tensors = sendableTensors(payload.tensors); // In memory of the update's own, to be written into.
  const shares = [...masks].map(([name, { shape, data }]): [string, Tensor] => {
    const change = floatsOf(tensors.get(name)!);
    const share = Float32Array.from(data as Uint8Array, (own) => 1 - own);
    for (let i = 0; i < share.length; i++) if (share[i] === 0) change[i] = 0;
    return [name, { dtype: 'float32', shape, data: share }];
  });
  return { ...payload, kind: 'weight-share-diff', tensors: joinShares(tensors, new Map(shares)) };
}

function requireDifference({ payload: { kind } }: ExecutorResult): void {
  if (kind === 'weight-diff') return;
  throw new ConfigError(`FedSelect needs the differences that training made, but the trainer gave '${kind}'.`, {
    hint: "Set the trainer's transfer to 'weight-diff'.",
  });
}

/** The masks after a choice by how far training moved each number. */
function chosen(
  masks: NamedTensors,
  start: NamedTensors,
  trained: NamedTensors,
  { share, most }: Pick<FedSelectOptions, 'share' | 'most'>,
): NamedTensors {
  return new Map(
    [...masks].map(([name, tensor]): [string, Tensor] => {
      const mask = tensor.data as Uint8Array;
      const shared = [...mask.keys()].filter((i) => mask[i] === 0);
      if (!name.includes('weight') || mask.length - shared.length > most * mask.length) return [name, tensor];
      const [from, to] = [floatsOf(start.get(name)!), floatsOf(trained.get(name)!)];
      const moved = (i: number) => Math.abs(to[i]! - from[i]!);
      const furthest = shared.sort((a, b) => moved(b) - moved(a) || a - b).slice(0, Math.floor(share * shared.length));
      const data = mask.slice();
      for (const i of furthest) data[i] = 1;
      return [name, { ...tensor, data }];
    }),
  );
}
