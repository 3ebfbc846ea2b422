/**
 * The models by kind.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { ModelSpec } from '../jobs/model-spec';
import type { Model } from './models/definition';
import { segResNet } from './models/segresnet';

export { initialise } from './initialise';
export type { Model, ParameterSpec } from './models/definition';
export { segResNet } from './models/segresnet';

/** A specification that has not been checked yet. */
interface AnyModelSpec {
  readonly kind: string;
  readonly [option: string]: unknown;
}

const models: { readonly [K in ModelSpec['kind']]: (options: object) => Model } = {
  segresnet: segResNet,
};

/** The model that a specification names. @throws ConfigError when the kind is unknown or an option is wrong */
export function createModel({ kind, ...options }: AnyModelSpec): Model {
  if (!Object.hasOwn(models, kind)) {
    throw new ConfigError(`There is no model '${kind}'; the models are: ${Object.keys(models).join(', ')}.`);
  }
  return models[kind as ModelSpec['kind']](options);
}
