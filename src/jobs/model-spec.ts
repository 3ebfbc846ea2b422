/**
 * Models as data: which one, with which options.
 *
 * @module
 */
import { z } from 'zod';
import { basicUNetOptions } from './models/basic-unet';
import { dynUNetOptions } from './models/dynunet';
import { monaiUNetOptions } from './models/monai-unet';
import { patchGanOptions } from './models/patchgan';
import { pflSynthOptions } from './models/pflsynth';
import { segResNetOptions } from './models/segresnet';
import { translationUNetOptions } from './models/translation-unet';

export { type SegResNetOptions, type SegResNetSettings, segResNetOptions } from './models/segresnet';

export const modelSpec = z.discriminatedUnion('kind', [
  segResNetOptions.safeExtend({ kind: z.literal('segresnet') }),
  translationUNetOptions.safeExtend({ kind: z.literal('translation-unet') }),
  monaiUNetOptions.safeExtend({ kind: z.literal('monai-unet') }),
  basicUNetOptions.safeExtend({ kind: z.literal('basic-unet') }),
  dynUNetOptions.safeExtend({ kind: z.literal('dynunet') }),
  patchGanOptions.safeExtend({ kind: z.literal('patchgan') }),
  pflSynthOptions.safeExtend({ kind: z.literal('pflsynth') }),
]);
export type ModelSpec = z.output<typeof modelSpec>;
export type ModelKind = ModelSpec['kind'];
