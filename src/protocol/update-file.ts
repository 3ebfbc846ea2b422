/**
 * An update as a file: safetensors whose metadata hold the rest of the update, and the digest of the model it was computed
 * on. So a site keeps its answers, so they travel, and so the server keeps them: the same bytes at all three.
 *
 * @module
 */
import { z } from 'zod';
import { DataError } from '../errors';
import { payloadKinds } from '../jobs/filter-spec';
import { privacyCost } from '../privacy/ledger';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import { toJson } from '../util/exact-json';
import { oneLine } from '../util/one-line';
import { foundAt } from '../util/parse-options';
import { parseStrictJson, plainJson } from '../util/strict-json';
import type { Update } from './messages';
import { longestMetricName, mostMetrics, mostSteps } from './payload';
import { foreignName } from './wire/foreign-text';
import { sha256Hex, siteName } from './wire/messages';

/** Most costs of one update: what a round was charged in all its attempts. */
const mostCosts = 1024;

const seconds = z.number().nonnegative();
const metrics = z
  .record(foreignName(longestMetricName), z.number().nullable())
  .refine((given) => Object.keys(given).length <= mostMetrics, `at most ${mostMetrics} metrics`);

/** An update without its payload, and what the payload says besides tensors. */
export const updateFields = {
  site: siteName,
  round: z.int().nonnegative(),
  task: foreignName(64).min(1),
  privacy: z.array(privacyCost).max(mostCosts),
  seconds: z.strictObject({ validate: seconds, train: seconds, other: seconds }),
  metrics,
  steps: z.int().nonnegative().max(mostSteps),
};

/** All of an update but its tensors. */
const header = z.strictObject({
  site: updateFields.site,
  round: updateFields.round,
  task: updateFields.task,
  payload: z.strictObject({ kind: z.enum(payloadKinds), metrics, steps: updateFields.steps }),
  privacy: updateFields.privacy,
  seconds: updateFields.seconds,
});
const metadata = z.strictObject({ update: z.string(), model: sha256Hex });

export interface UpdateFile {
  readonly update: Update;
  /** Digest of the model that the update was computed on. */
  readonly model: string;
}

export interface UpdateFileLimits {
  /** Longest file, bytes. @default 2 GiB */
  readonly maxBytes?: number;
  /** Longest header, bytes: it names tensors, metrics and costs. @default 2 MiB */
  readonly maxHeaderBytes?: number;
  /** See `SafetensorsOptions`. @default false */
  readonly inPlace?: boolean;
}

/**
 * The file in pieces, one after the other: a header, and the tensors' own memory, not copied. Equal updates give equal bytes.
 * @throws DataError for an update that {@link decodeUpdateFile} would refuse.
 */
export function updateFileParts(update: Update, modelDigest: string): readonly Uint8Array[] {
  const { tensors, ...payload } = update.payload;
  const text = toJson({ ...update, payload });
  readHeader(text);
  return safetensorsParts(tensors, { update: text, model: modelDigest });
}

/**
 * The inverse of {@link updateFileParts}, for bytes from anywhere. What the update is worth is for others to judge: whose it
 * is, of which round, and whether its tensors fit the model and are finite.
 *
 * @throws DataError that says what was expected and what was found.
 */
export function decodeUpdateFile(bytes: Uint8Array, limits: UpdateFileLimits = {}): UpdateFile {
  const { maxBytes = 2 ** 31, maxHeaderBytes = 2 ** 21, inPlace = false } = limits;
  if (bytes.length > maxBytes) {
    throw new DataError(`The update has ${bytes.length} bytes; at most ${maxBytes} are accepted.`);
  }
  const file = decodeSafetensors(bytes, { maxHeaderBytes, inPlace });
  const found = metadata.safeParse(file.metadata);
  if (!found.success) throw wrong('The metadata of the update', file.metadata, found.error);
  const rest = readHeader(found.data.update);
  return { update: { ...rest, payload: { ...rest.payload, tensors: file.tensors } }, model: found.data.model };
}

function readHeader(text: string): z.output<typeof header> {
  const json = plainJson(parseStrictJson(text, { what: 'The update' }), 'The update');
  const parsed = header.safeParse(json);
  if (!parsed.success) throw wrong('The update', json, parsed.error);
  return parsed.data;
}

/** Names the first thing that is wrong. */
function wrong(what: string, given: unknown, { issues }: z.ZodError): DataError {
  const { path, message } = issues[0]!;
  const where = path.length === 0 ? '' : ` at '${path.join('.').slice(0, 200)}'`;
  return new DataError(oneLine(`${what} is wrong${where}: ${message.slice(0, 200)}${foundAt(given, path)}.`));
}
