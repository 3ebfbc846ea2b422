/**
 * Safetensors files that tell whether they are as they were written: their metadata begin with a SHA-256 of the whole file,
 * formed with zeros in its own place.
 *
 * @module
 */
import { DataError, InternalError } from '../errors';
import { sha256Of } from '../util/sha256';
import { decodeSafetensors, safetensorsParts } from './safetensors';
import type { NamedTensors } from './tensor';

const noSeal = '0'.repeat(64);
const headerSizeBytes = 8;
const opening = Buffer.from('{"__metadata__":{"sha256":"');
const sealAt = headerSizeBytes + opening.length;
const sealEnd = sealAt + noSeal.length;

/** The file in pieces, one after the other, not sealed yet: the tensors' own memory, not copied. */
export function sealableParts(tensors: NamedTensors): readonly Uint8Array[] {
  return safetensorsParts(tensors, { sha256: noSeal });
}

/** Seals the pieces of {@link sealableParts}: on any thread, since it takes a while. */
export function seal(parts: readonly Uint8Array[]): void {
  const header = parts[0];
  if (!header || !hasPlace(header)) throw new InternalError('Only what sealableParts gives can be sealed.');
  header.set(Buffer.from(noSeal), sealAt);
  header.set(Buffer.from(sha256Of(...parts)), sealAt);
}

/** The tensors of a sealed file. @throws DataError when it is not as it was sealed. */
export function openSealed(bytes: Uint8Array): NamedTensors {
  if (!hasPlace(bytes)) throw new DataError('it does not begin with a checksum');
  const found = Buffer.from(bytes.subarray(sealAt, sealEnd)).toString('latin1');
  const expected = sha256Of(bytes.subarray(0, sealAt), Buffer.from(noSeal), bytes.subarray(sealEnd));
  if (found !== expected) throw new DataError('its checksum differs');
  return decodeSafetensors(bytes).tensors;
}

function hasPlace(bytes: Uint8Array): boolean {
  return bytes.length >= sealEnd && opening.equals(bytes.subarray(headerSizeBytes, sealAt));
}
