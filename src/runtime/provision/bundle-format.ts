/**
 * The bytes of a bundle: u64 LE length of the header, the header (JSON), the files one after the other.
 *
 * @module
 */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { RefusedError } from '../../errors';
import { roles } from '../../transport/connection';
import { canonicalJson } from '../../util/canonical-json';
import { namePattern } from './certificate';
import { parseJsonFile } from './json-file';

/** A job has a configuration for each of its sites, and files of its own. */
const mostFiles = 11_000;
const maxHeaderBytes = 4 * 2 ** 20;
/** What one site gets, without the header. */
export const maxSiteBytes = 10 * 2 ** 20;
/** All files of a bundle. */
export const maxBundleBytes = 2 * 2 ** 30;

/** The job, without the configuration of the sites. */
export const jobPath = 'job.yaml';
export function siteConfigPath(site: string): string {
  return `site-config/${site}.json`;
}
/** What only a bundle itself puts there. */
export function isReserved(path: string): boolean {
  return /^(job\.yaml|job\.yaml\/.*|site-config(\/.*)?)$/i.test(path);
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const audience = z.union([z.enum(['all', 'server']), z.templateLiteral(['site:', z.string().regex(namePattern)])]);
/** Who gets a file: everybody; the server, as what a model starts from; one site, as its own configuration. */
export type Audience = z.output<typeof audience>;

const bundleEntry = z.strictObject({
  path: z.string().max(1000).describe("Relative to the job's folder, with slashes."),
  size: z.int().nonnegative().max(maxBundleBytes),
  sha256,
  to: audience,
  executable: z.boolean().describe('Whether it is a program that the job starts.'),
});
export type BundleEntry = z.output<typeof bundleEntry>;

const submitter = z.strictObject({
  name: z.string().regex(namePattern),
  role: z.enum(roles),
  org: z.string().max(200),
  fingerprint: sha256,
});
/** Who signed a job. */
export type Submitter = z.output<typeof submitter>;

const bundleManifest = z.strictObject({
  version: z.literal(1),
  project: z.string().regex(namePattern),
  job: z.string().max(100),
  submitter,
  files: z.array(bundleEntry).max(mostFiles).describe('Sorted by path.'),
});
export type BundleManifest = z.output<typeof bundleManifest>;

const bundleHeader = z.strictObject({
  format: z.literal('consilium bundle 1'),
  /** Canonical JSON: these very bytes are signed. */
  manifest: z.string(),
  signature: z.base64(),
  /** Of who signed it, PEM. */
  certificate: z.string().max(10_000),
  /** Paths of the files that follow, in the order of the manifest. */
  files: z.array(z.string()).max(mostFiles),
});
export type BundleHeader = z.output<typeof bundleHeader>;
/** What every part of a bundle has in common. */
export type Envelope = Omit<BundleHeader, 'files'>;

const purpose = 'consilium bundle 1\n';

export function sealManifest(
  manifest: BundleManifest,
  { key, cert }: { readonly key: string; readonly cert: string },
): Envelope {
  const text = canonicalJson(manifest);
  const signature = sign('sha256', Buffer.from(purpose + text), key).toString('base64');
  return { format: 'consilium bundle 1', manifest: text, signature, certificate: cert };
}

/** Whether the key of this certificate signed the manifest. */
export function isSealedBy({ manifest, signature }: Envelope, publicKey: Parameters<typeof verify>[2]): boolean {
  return verify('sha256', Buffer.from(purpose + manifest), publicKey, Buffer.from(signature, 'base64'));
}

/** Length and header. @throws RefusedError for a job of more files than fit. */
export function encodeHeader(envelope: Envelope, files: readonly BundleEntry[]): Uint8Array {
  const header = Buffer.from(JSON.stringify({ ...envelope, files: files.map(({ path }) => path) }));
  if (header.byteLength > maxHeaderBytes) throw new RefusedError('The job has too many files for one bundle.');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return Buffer.concat([length, header]);
}

/** @returns `undefined` for a length that no header has. */
export function headerLength(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < 8) return undefined;
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, 8).readBigUInt64LE();
  return length >= 2n && length <= BigInt(maxHeaderBytes) ? Number(length) : undefined;
}

/** @throws ConfigError */
export function decodeHeader(bytes: Uint8Array): BundleHeader {
  return parseJsonFile(bytes, bundleHeader, 'the header of the bundle');
}

/** @throws ConfigError; RefusedError when it is not in canonical form, so that it could have another hash. */
export function decodeManifest(text: string): BundleManifest {
  const manifest = parseJsonFile(Buffer.from(text), bundleManifest, 'the manifest of the bundle');
  if (canonicalJson(manifest) === text) return manifest;
  throw new RefusedError('The bundle is refused: its manifest is not in canonical form.');
}
