/**
 * Events of a run as they travel and lie on disk.
 *
 * @module
 */
import { z } from 'zod';
import type { RunEvent } from '../jobs/environment';
import { privacyCost } from '../privacy/ledger';
import { toJson } from '../util/exact-json';
import type { Json } from '../util/json';
import { foreignName, foreignText } from './wire/foreign-text';

/** Longest message or reason of an event, characters. */
export const longestText = 4000;

const text = foreignText(longestText);
const name = foreignText(63);
const round = z.int().nonnegative();
const metrics = z.record(foreignName(longestText), z.number().nullable());
const seconds = z.strictObject({ validate: z.number(), train: z.number(), other: z.number() });
const epsilon = z.union([z.number(), z.literal('Infinity').transform(() => Number.POSITIVE_INFINITY)]);

const runEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('started'),
    folder: text,
    slots: z.int().nonnegative(),
    resumedAt: round.optional(),
  }),
  z.strictObject({ kind: z.literal('round-started'), round, rounds: z.int().nonnegative() }),
  z.strictObject({
    kind: z.literal('progress'),
    site: name,
    round,
    phase: z.enum(['validate', 'train']),
    done: z.int().nonnegative(),
    total: z.int().nonnegative(),
    loss: z.number().optional(),
  }),
  z.strictObject({
    kind: z.literal('round-finished'),
    round,
    final: z.boolean(),
    metrics,
    sites: z.array(
      z.strictObject({ name, status: foreignText(40), reason: text.optional(), seconds: seconds.optional() }),
    ),
    epsilon: epsilon.optional(),
    differentiallyPrivate: z.boolean().optional(),
    seconds: z.number(),
  }),
  z.strictObject({ kind: z.literal('site-joined'), site: name }),
  z.strictObject({ kind: z.literal('site-lost'), site: name, reason: text }),
  z.strictObject({
    kind: z.literal('site-failed'),
    site: name,
    round,
    task: foreignName(64),
    status: z.enum(['failed', 'late', 'rejected']),
    error: foreignText(64).optional(),
    reason: text,
  }),
  z.strictObject({ kind: z.literal('metrics'), round, site: name, metrics }),
  z.strictObject({ kind: z.literal('privacy'), round, site: name, costs: z.array(privacyCost) }),
  z.strictObject({ kind: z.literal('log'), level: z.enum(['info', 'warn']), site: name.optional(), message: text }),
  z.strictObject({ kind: z.literal('done'), outcome: z.enum(['finished', 'failed', 'aborted']) }),
]);

/** An event with its place in the run, and when it happened. */
export interface RunEntry {
  /** Counted from 0; progress, which nobody keeps, has that of the next one. */
  readonly n: number;
  readonly time: string;
  readonly event: RunEvent;
}

const runEntry = z.strictObject({ n: z.int().nonnegative(), time: z.iso.datetime(), event: runEvent });

/** An entry as JSON; an infinite ε is the text "Infinity". */
export function encodeEntry(entry: RunEntry): Json {
  return JSON.parse(toJson({ ...entry, event: known(entry.event) })) as Json;
}

/** An event that {@link decodeEntry} would refuse does not compile. */
function known<E extends { readonly kind: z.output<typeof runEvent>['kind'] }>(event: E): E {
  return event;
}

/** @throws ZodError for what is no entry. */
export function decodeEntry(value: unknown): RunEntry {
  return runEntry.parse(value) as RunEntry;
}
