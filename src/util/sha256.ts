import { createHash } from 'node:crypto';

/** SHA-256 of pieces of data that follow one another, in hexadecimal. */
export function sha256Of(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
