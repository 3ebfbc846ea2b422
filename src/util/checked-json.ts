/**
 * JSON objects that tell whether they are as they were written: the last key, `check`, is a checksum of all before it. In a
 * list each may also vouch for those before it, so that none can go missing from the middle.
 *
 * @module
 */
import { createHash } from 'node:crypto';

/** Hexadecimal digits of SHA-256 that are kept: enough against accidents, which is all that this is about. */
const digits = 16;

/**
 * @param json text of an object that is not empty
 * @param before the checksum of the object before it, in a list
 */
export function withCheck(json: string, before = ''): string {
  return `${json.slice(0, -1)},"check":"${checkOf(before, json)}"}`;
}

/** {@link withCheck} of a large object, whose text comes as pieces of bytes; the last one is its closing brace alone. */
export function piecesWithCheck(json: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...json.slice(0, -1), Buffer.from(`,"check":"${checkOf('', ...json)}"}`)];
}

/** The text without its checksum, and that; `undefined` when they do not belong together. */
export function checkedJson(text: string, before = ''): { readonly json: string; readonly check: string } | undefined {
  const end = text.length - digits - 2;
  const json = `${text.slice(0, end - '"check":"'.length - 1)}}`;
  const check = text.slice(end, -2);
  return withCheck(json, before) === text ? { json, check } : undefined;
}

function checkOf(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex').slice(0, digits);
}
