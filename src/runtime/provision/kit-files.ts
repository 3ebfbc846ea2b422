/**
 * What lies in a startup kit, and the signature over it.
 *
 * @module
 */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { type Role, roles } from '../../transport/connection';
import { canonicalJson } from '../../util/canonical-json';
import { parseCertificate } from './certificate';
import type { KitKind } from './kit';

/** Largest file of a kit that is read, bytes; the roster has a bound of its own. */
export const maxKitFileBytes = 256 * 1024;

/** `kit.json`. */
export const kitInfo = z.strictObject({
  version: z.literal(1),
  kind: z.enum(['server', 'site', 'admin']),
  name: z.string(),
  role: z.enum(roles),
  org: z.string(),
  project: z.string(),
  server: z.strictObject({
    name: z.string(),
    hosts: z.array(z.string()).nonempty(),
    port: z.int().min(1).max(65_535),
    adminPort: z.int().min(1).max(65_535),
  }),
});
export type KitInfo = z.output<typeof kitInfo>;

/** `manifest.json`: the other files that are signed, by name. A key proves itself by the certificate. */
export const kitManifest = z.strictObject({
  version: z.literal(1),
  project: z.string(),
  name: z.string(),
  files: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9.-]{0,63}$/), z.string().regex(/^[0-9a-f]{64}$/)),
  signature: z.base64(),
});
export type KitManifest = z.output<typeof kitManifest>;

/** Files that every kit has, and whose content its manifest vouches for. */
export const signedFiles = ['kit.json', 'cert.pem', 'ca.pem', 'start.sh', 'README.md'] as const;

/** Files that a user may edit, or that change by themselves; none of them is in the manifest. */
export const editableFiles: { readonly [K in KitKind]: readonly string[] } = {
  server: ['roster.json', 'server.yaml'],
  site: ['site.yaml', 'policy.yaml'],
  admin: [],
};

export function kindOf(role: Role): KitKind {
  return role === 'server' || role === 'site' ? role : 'admin';
}

const purpose = 'consilium kit 1\n';

/** @param caKey PEM */
export function signManifest(content: Omit<KitManifest, 'signature'>, caKey: string): KitManifest {
  return { ...content, signature: sign('sha256', signedBytes(content), caKey).toString('base64') };
}

/** Whether the authority signed the manifest. @param ca PEM */
export function isSigned({ signature, ...content }: KitManifest, ca: string): boolean {
  return verify(
    'sha256',
    signedBytes(content),
    parseCertificate(ca, 'ca.pem').publicKey,
    Buffer.from(signature, 'base64'),
  );
}

function signedBytes(content: Omit<KitManifest, 'signature'>): Uint8Array {
  return Buffer.from(purpose + canonicalJson(content));
}
