/**
 * The headers of frames between a site and a training program, version 1. docs/reference/trainer-protocol.md specifies them.
 *
 * @module
 */
import { z } from 'zod';
import { DataError } from '../../errors';
import type { Json } from '../../util/json';
import type { StrictJson } from '../../util/strict-json';

export const protocolVersion = 1;

/** What a site says to the program. */
export type ToProgram =
  /** First of all. Payload: the state that was saved, or nothing. */
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly job: string;
      readonly site: string;
      readonly folder: string;
      readonly config: Json;
      readonly seed: number;
      readonly rounds: number;
    }
  /** Payload: the model; and, when `correction` is true, what is added to the gradients, as `correction/<parameter>`. */
  | {
      readonly type: 'task';
      readonly id: number;
      readonly kind: 'train' | 'validate';
      readonly round: number;
      /** What the algorithm wants of the training: `{ proximalMu }`, say; null when it wants nothing. */
      readonly settings: Json;
      readonly correction?: true;
    }
  /** The task is given up: end now. */
  | { readonly type: 'abort' }
  /** The run is over: end. */
  | { readonly type: 'bye' };

const id = z.int().nonnegative();
const fromProgram = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol: z.int() }),
  z.strictObject({
    type: z.literal('reply'),
    id,
    metrics: z.record(z.string().min(1), z.number().nullable()).default({}),
    steps: z.number().nullable().optional(),
  }),
  z.strictObject({
    type: z.literal('progress'),
    id,
    done: z.number(),
    total: z.number(),
    loss: z.number().nullable().optional(),
  }),
  z.strictObject({ type: z.literal('state') }),
  z.strictObject({ type: z.literal('log'), message: z.string() }),
  z.strictObject({ type: z.literal('error'), message: z.string() }),
]);

/** What the program says to a site. */
export type FromProgram = z.output<typeof fromProgram>;

/** @throws DataError naming the field. */
export function parseFromProgram(header: StrictJson): FromProgram {
  const parsed = fromProgram.safeParse(plain(header));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const known = fromProgram.options.map(({ shape }) => shape.type.value).join(', ');
  throw new DataError(
    path[0] === 'type'
      ? `a frame has no known type; types are ${known}`
      : `the header of a frame is wrong${path.length === 0 ? '' : ` at '${path.join('.')}'`}: ${message}`,
  );
}

function plain(value: StrictJson): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
