/**
 * Models as data: which one, with which options.
 *
 * @module
 */
import { z } from 'zod';
import { segResNetOptions } from './models/segresnet';

export { type SegResNetOptions, type SegResNetSettings, segResNetOptions } from './models/segresnet';

/** The options of every model, by kind: the one list of the models there are. */
export const modelOptions = {
  segresnet: segResNetOptions,
} as const;

export type ModelKind = keyof typeof modelOptions;

export const modelSpec = z.discriminatedUnion('kind', [segResNetOptions.safeExtend({ kind: z.literal('segresnet') })]);
export type ModelSpec = z.output<typeof modelSpec>;
