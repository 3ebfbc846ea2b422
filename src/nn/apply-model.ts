/**
 * Writes a model into a graph.
 *
 * @module
 */
import { InternalError } from '../errors';
import type { Builder } from '../graph/builder';
import type { Value } from '../graph/graph';
import { type Shape, sameShape } from '../tensor/tensor';
import { applyMask, maskShape } from './layers/dropout';
import type { DropoutSite, Model } from './models/definition';

/** A model's state as values: what it reads, and what a step replaces. */
export interface ModelValues {
  readonly parameters: ReadonlyMap<string, Value>;
  /** The float32 buffers. */
  readonly buffers: ReadonlyMap<string, Value>;
}

export interface ModelInputs {
  readonly image: Value;
  readonly conditions?: ReadonlyMap<string, Value>;
}

/** Gives the factors of a dropout as a value of this shape. */
export type MaskSource = (site: DropoutSite, shape: Shape) => Value;

/** The parameters and float32 buffers of a model as parameters of the graph, under `prefix` and their names. */
export function declareModel(b: Builder, model: Model, prefix = ''): ModelValues {
  const declared = (specs: readonly { readonly name: string; readonly shape: Shape }[]): ReadonlyMap<string, Value> =>
    new Map(specs.map(({ name, shape }) => [name, b.parameter(`${prefix}${name}`, shape)]));
  return { parameters: declared(model.parameters), buffers: declared(graphBuffers(model)) };
}

/** The model's further inputs for so many samples, as inputs of the graph under their names. */
export function conditionInputs(b: Builder, { conditions = [] }: Model, samples: number): ReadonlyMap<string, Value> {
  return new Map(conditions.map(({ name, features }) => [name, b.input(name, [samples, features])]));
}

/** The buffers that are values of the graph. */
export function graphBuffers({ buffers = [] }: Model) {
  return buffers.filter(({ dtype }) => dtype === 'float32');
}

/** The network as it is used: running statistics, no dropout. */
export function applyForInference(b: Builder, model: Model, values: ModelValues, inputs: ModelInputs): Value {
  return model.build({
    b,
    ...values,
    image: inputs.image,
    conditions: inputs.conditions ?? new Map(),
    training: false,
    setBuffer: (name) => refuseBuffer(model, name),
    dropout: (x) => x,
  });
}

/** The network as it is trained. @returns its result, and its buffers after this application */
export function applyForTraining(
  b: Builder,
  model: Model,
  values: ModelValues,
  inputs: ModelInputs,
  mask: MaskSource,
): { readonly result: Value; readonly buffers: ReadonlyMap<string, Value> } {
  const buffers = new Map(values.buffers);
  const result = model.build({
    b,
    ...values,
    image: inputs.image,
    conditions: inputs.conditions ?? new Map(),
    training: true,
    setBuffer(name, next) {
      const before = buffers.get(name);
      if (!before || !sameShape(before.shape, next.shape)) refuseBuffer(model, name, next.shape);
      buffers.set(name, next);
    },
    dropout: (x, site) => (site.probability === 0 ? x : applyMask(b, x, mask(site, maskShape(x.shape, site.per)))),
  });
  return { result, buffers };
}

function refuseBuffer(model: Model, name: string, shape?: Shape): never {
  const what = shape ? `has no buffer '${name}' of shape [${shape}]` : `sets buffer '${name}' outside training`;
  throw new InternalError(`The model '${model.kind}' ${what}.`);
}
