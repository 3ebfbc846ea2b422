/**
 * Names of the update files of a round: who answered what, computed on which model, and a checksum of the bytes:
 * `site-1.train.1a2b3c4d5e6f.<32 digits>.safetensors`. A round may give a site the same task for several models.
 *
 * @module
 */
import { basename } from 'node:path';
import type { Update } from '../protocol/messages';
import { sha256Of } from '../util/sha256';

/** Hexadecimal digits of the model's digest. */
const modelDigits = 12;
/** Hexadecimal digits of SHA-256: names stay within the 255 bytes that file systems allow. */
const checksumDigits = 32;

/** @param sha256 of the whole file, in hexadecimal */
export function updateFileName(update: Pick<Update, 'site' | 'task'>, model: string, sha256: string): string {
  return `${keyOf(update, model)}.${sha256.slice(0, checksumDigits)}.safetensors`;
}

/** What the update is, whatever its bytes are: one of a kind in its round. */
export function keyOf({ site, task }: Pick<Update, 'site' | 'task'>, model: string): string {
  return `${site}.${asName(task)}.${model.slice(0, modelDigits)}`;
}

export function isUpdateFile(name: string): boolean {
  return name.endsWith('.safetensors') && !name.startsWith('.');
}

/** Names of sites hold no dots. */
export function siteIn(name: string): string {
  return name.split('.')[0]!;
}

export function keyIn(name: string): string {
  return name.split('.').slice(0, 3).join('.');
}

/** Whether the update may have been computed on the model: its file says for sure. */
export function mayBeOf(model: string, name: string): boolean {
  const [, , digest, ...rest] = name.split('.');
  return rest.length < 2 || digest === model.slice(0, modelDigits);
}

/** What the SHA-256 of the file begins with; no digits at all for a name that holds none. */
export function checksumIn(path: string): string {
  const checksum = basename(path).split('.')[3] ?? '';
  return checksum.length === checksumDigits ? checksum : 'none';
}

/** Tasks of workflows of the user's own may be called anything. */
export function asName(task: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(task) ? task : sha256Of(Buffer.from(task)).slice(0, modelDigits);
}
