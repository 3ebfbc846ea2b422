import { safetensorsParts } from '../tensor/safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { sha256Of } from '../util/sha256';

const digests = new WeakMap<NamedTensors, string>();

/** SHA-256 of a model's safetensors file, computed once: models do not change. */
export function modelDigest(
  model: NamedTensors,
  parts: () => readonly Uint8Array[] = () => safetensorsParts(model),
): string {
  const known = digests.get(model);
  if (known !== undefined) return known;
  const digest = sha256Of(...parts());
  digests.set(model, digest);
  return digest;
}

/** Notes the digest of a model that was read from a file. */
export function noteDigest(model: NamedTensors, digest: string): void {
  digests.set(model, digest);
}
