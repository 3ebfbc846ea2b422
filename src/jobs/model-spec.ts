/**
 * Models as data: which one, with which options.
 *
 * @module
 */
import { z } from 'zod';
import { environmentText } from './environment-text';
import { basicUNetOptions } from './models/basic-unet';
import { dynUNetOptions } from './models/dynunet';
import { monaiUNetOptions } from './models/monai-unet';
import { patchGanOptions } from './models/patchgan';
import { pflSynthOptions } from './models/pflsynth';
import { segResNetOptions } from './models/segresnet';
import { translationUNetOptions } from './models/translation-unet';
import { ownSpec } from './own-part';

export { type SegResNetOptions, type SegResNetSettings, segResNetOptions } from './models/segresnet';

export const modelSpec = z.discriminatedUnion('kind', [
  segResNetOptions.safeExtend({ kind: z.literal('segresnet').describe('SegResNet of MONAI.') }),
  translationUNetOptions.safeExtend({
    kind: z.literal('translation-unet').describe('2-D U-Net of the MRI translation job.'),
  }),
  monaiUNetOptions.safeExtend({ kind: z.literal('monai-unet').describe('UNet of MONAI.') }),
  basicUNetOptions.safeExtend({ kind: z.literal('basic-unet').describe('BasicUNet of MONAI.') }),
  dynUNetOptions.safeExtend({ kind: z.literal('dynunet').describe('DynUNet of MONAI: the networks of nnU-Net.') }),
  patchGanOptions.safeExtend({ kind: z.literal('patchgan').describe('PatchGAN discriminator.') }),
  pflSynthOptions.safeExtend({ kind: z.literal('pflsynth').describe('Generator of pFLSynth.') }),
]);
export type ModelSpec = z.output<typeof modelSpec>;
export type ModelKind = ModelSpec['kind'];

const tensorShape = z
  .array(
    z
      .int()
      .nonnegative()
      .max(2 ** 31),
  )
  .max(8);

const tensorsSpec = z
  .strictObject({
    kind: z.literal('tensors'),
    tensors: z
      .record(z.string().min(1).max(512), tensorShape)
      .refine((all) => sizeOfAll(Object.values(all)) <= 2 ** 31, 'more than 2^31 numbers')
      .describe('Shape by name; float32.'),
    start: z
      .enum(['zeros', 'normal'])
      .default('zeros')
      .describe("Their first values: zeros, or standard normal draws from the job's seed."),
  })
  .describe("Tensors without a network: what training code of the user's own trains.");

const checkpointSpec = z
  .strictObject({
    kind: z.literal('checkpoint'),
    file: environmentText(z.string().min(1).describe("A relative path starts from the job's folder.")),
  })
  .describe("The tensors of a file, .safetensors or .pt, as they are: what training code of the user's own trains.");

/** Tensors that no network of ours stands behind. */
export const looseModel = z.discriminatedUnion('kind', [tensorsSpec, checkpointSpec]);
export type LooseModelSpec = z.output<typeof looseModel>;

export const jobModel = z.union([
  z.discriminatedUnion('kind', [...modelSpec.options, ...looseModel.options]),
  ownSpec('model'),
]);
export type JobModelSpec = z.output<typeof jobModel>;
/** A model that writes graph: one of ours, or the user's own. */
export type NetworkSpec = Exclude<JobModelSpec, LooseModelSpec>;

export function isNetwork(spec: JobModelSpec): spec is NetworkSpec {
  return spec.kind !== 'tensors' && spec.kind !== 'checkpoint';
}

function sizeOfAll(shapes: readonly (readonly number[])[]): number {
  return shapes.reduce((sum, shape) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
