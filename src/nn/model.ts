/**
 * The models by kind.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { ModelKind } from '../jobs/model-spec';
import { findOwnPart } from '../jobs/own-part';
import { basicUNet } from './models/basic-unet';
import type { Model } from './models/definition';
import { dynUNet } from './models/dynunet';
import { monaiUNet } from './models/monai-unet';
import { patchGan } from './models/patchgan';
import { pflSynth } from './models/pflsynth';
import { segResNet } from './models/segresnet';
import { translationUNet } from './models/translation-unet';

export { initialise } from './initialise';
export type { Model, ParameterSpec } from './models/definition';
export { segResNet } from './models/segresnet';

interface ModelEntry {
  /** One line for lists. */
  readonly title: string;
  readonly create: (options: object) => Model;
}

/** A specification that has not been checked yet. */
interface AnyModelSpec {
  readonly kind: string;
  readonly [option: string]: unknown;
}

const models: { readonly [K in ModelKind]: ModelEntry } = {
  segresnet: {
    title: 'SegResNet: residual encoder–decoder, 2-D or 3-D, with the state names of MONAI',
    create: segResNet,
  },
  'translation-unet': {
    title: 'U-Net of the MRI translation job: 2-D, four levels, sigmoid',
    create: translationUNet,
  },
  'monai-unet': {
    title: 'UNet of MONAI: striding convolutions or residual units, with its state names',
    create: monaiUNet,
  },
  'basic-unet': {
    title: 'BasicUNet of MONAI: five levels, maximum pooling, with its state names',
    create: basicUNet,
  },
  dynunet: {
    title: 'DynUNet of MONAI: the networks of nnU-Net, with its state names',
    create: dynUNet,
  },
  patchgan: {
    title: 'PatchGAN discriminator: 2-D, one number per patch',
    create: patchGan,
  },
  pflsynth: {
    title: 'Generator of pFLSynth: 2-D residual network, personalised by a code of site and task',
    create: pflSynth,
  },
};

/** Every kind of model with a line on what it is. */
export function listModels(): readonly { readonly kind: ModelKind; readonly title: string }[] {
  return Object.entries(models).map(([kind, { title }]) => ({ kind: kind as ModelKind, title }));
}

/** The model that a specification names. @throws ConfigError when the kind is unknown or an option is wrong */
export function createModel({ kind, ...options }: AnyModelSpec): Model {
  const own = findOwnPart('model', kind);
  if (own) return (own.definition as { create(options: object): Model }).create(options);
  if (!Object.hasOwn(models, kind)) {
    throw new ConfigError(`There is no model '${kind}'; the models are: ${Object.keys(models).join(', ')}.`);
  }
  return models[kind as ModelKind].create(options);
}
