/**
 * A startup kit: the folder by which a server, a site or a person takes part in a project. It is read once, at the start,
 * and every byte that matters is checked first.
 *
 * @module
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError, isConsiliumError, RefusedError } from '../../errors';
import type { Role } from '../../transport/connection';
import { readBounded } from '../../util/read-bounded';
import { sha256Of } from '../../util/sha256';
import {
  type CertificateFacts,
  certificateFacts,
  checkDates,
  checkIssued,
  datesOf,
  fingerprintOf,
  keyBelongs,
  parseCertificate,
} from './certificate';
import { parseJsonFile } from './json-file';
import { isSigned, type KitInfo, kindOf, kitInfo, kitManifest, maxKitFileBytes, signedFiles } from './kit-files';

/** Whose kit it is. That of an admin serves researchers and site admins too: the role says what they may do. */
export const kitKinds = ['server', 'site', 'admin'] as const;
export type KitKind = (typeof kitKinds)[number];

export interface ServerAddress {
  readonly name: string;
  /** Names and numbers by which the server is reached, the first choice first. Its certificate is for all of them. */
  readonly hosts: readonly string[];
  /** Where sites dial. */
  readonly port: number;
  /** Where people dial; that of the sites unless the project says otherwise. */
  readonly adminPort: number;
}

/** What TLS needs, PEM. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  /** The project's own authority, the only one that is trusted. */
  readonly ca: string;
}

export interface Kit {
  readonly kind: KitKind;
  readonly folder: string;
  readonly name: string;
  readonly role: Role;
  readonly org: string;
  readonly project: string;
  readonly server: ServerAddress;
  readonly tls: TlsMaterial;
  /** SHA-256 of the certificate, and of that of the project's authority: hex in lower case without colons. */
  readonly fingerprint: string;
  readonly caFingerprint: string;
  /** Validity of the certificate, milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Absolute paths of files that a user may edit, or that change: they are not part of the kit's signature. */
  readonly files: KitFiles;
}

export interface KitFiles {
  /** server */
  readonly roster?: string;
  /** server: `server.yaml`; site: `site.yaml` */
  readonly settings?: string;
  /** site: `policy.yaml` */
  readonly policy?: string;
}

export interface LoadKitOptions {
  /** Milliseconds since 1970. @default the clock of this machine */
  readonly now?: number;
}

/**
 * Reads a startup kit and checks it: nothing was changed since it was made, the key is this user's alone and belongs to the
 * certificate, the certificate is the project's own and valid now. Files that the manifest does not name are not read, but for
 * the roster, which is signed itself, and those that a user may edit.
 *
 * @throws ConfigError for what is missing, of another kind or readable by others; RefusedError for what was changed, is not of
 * this project or has expired. One cause each, with the next step.
 */
export async function loadKit(
  folder: string,
  expected: KitKind,
  { now = Date.now() }: LoadKitOptions = {},
): Promise<Kit> {
  const root = resolve(folder);
  const signed = await readSigned(root);
  const info = parseKitJson(signed.get('kit.json')!, kitInfo, join(root, 'kit.json'));
  if (info.kind !== expected) throw otherKind(root, info, expected);
  const key = await readKey(root);
  const certificate = parseCertificate(signed.get('cert.pem')!, join(root, 'cert.pem'));
  const authority = parseCertificate(signed.get('ca.pem')!, join(root, 'ca.pem'));
  if (!keyBelongs(key, certificate)) {
    throw new ConfigError(`The key '${join(root, 'key.pem')}' does not belong to the certificate beside it.`, {
      hint: 'Put the two files of the same kit together, or ask for a new kit.',
    });
  }
  const what = `The certificate '${join(root, 'cert.pem')}'`;
  checkIssued(certificate, authority, what);
  const facts = certificateFacts(certificate, what);
  checkConsistent(root, info, facts);
  checkDates(datesOf(authority), now, "The certificate of the project's authority");
  checkDates(facts, now, what);
  return kitOf(root, info, facts, {
    key,
    cert: certificate.toString(),
    ca: authority.toString(),
    caFingerprint: fingerprintOf(authority),
  });
}

function kitOf(
  folder: string,
  { kind, name, role, org, project, server }: KitInfo,
  { fingerprint, notBefore, notAfter }: CertificateFacts,
  { caFingerprint, ...tls }: TlsMaterial & { readonly caFingerprint: string },
): Kit {
  const at = (file: string) => join(folder, file);
  const files: KitFiles =
    kind === 'server'
      ? { roster: at('roster.json'), settings: at('server.yaml') }
      : kind === 'site'
        ? { settings: at('site.yaml'), policy: at('policy.yaml') }
        : {};
  return {
    kind,
    folder,
    name,
    role,
    org,
    project,
    server,
    tls,
    fingerprint,
    caFingerprint,
    notBefore,
    notAfter,
    files,
  };
}

/** The files of the manifest, each as it was signed. */
async function readSigned(root: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const manifestFile = join(root, 'manifest.json');
  const manifest = parseKitJson(await readKitFile(root, 'manifest.json'), kitManifest, manifestFile);
  const ca = await readKitFile(root, 'ca.pem');
  if (!isSigned(manifest, Buffer.from(ca).toString('utf8'))) {
    throw tampered(`'${manifestFile}' does not bear the signature of the project's authority`);
  }
  const files = new Map<string, Uint8Array>();
  const missing = signedFiles.find((name) => !Object.hasOwn(manifest.files, name));
  if (missing !== undefined) throw tampered(`'${manifestFile}' does not vouch for ${missing}`);
  for (const [name, sha256] of Object.entries(manifest.files)) {
    const bytes = name === 'ca.pem' ? ca : await readKitFile(root, name);
    if (sha256Of(bytes) !== sha256) throw tampered(`'${join(root, name)}' was changed after the kit was made`);
    files.set(name, bytes);
  }
  return files;
}

/** @throws RefusedError for anything but what the schema says: `consilium provision` writes nothing else. */
function parseKitJson<T>(bytes: Uint8Array, schema: z.ZodType<T>, path: string): T {
  try {
    return parseJsonFile(bytes, schema, path);
  } catch (cause) {
    if (isConsiliumError(cause, 'ConfigError')) throw tampered(cause.message.replace(/\.$/, ''));
    throw cause;
  }
}

/** Of which kind a kit says that it is. @throws as {@link loadKit} for one that cannot be read. */
export async function readKitKind(folder: string): Promise<KitKind> {
  const root = resolve(folder);
  return parseKitJson(await readKitFile(root, 'kit.json'), kitInfo, join(root, 'kit.json')).kind;
}

async function readKitFile(root: string, name: string): Promise<Uint8Array> {
  const path = join(root, name);
  const bytes = await readBounded(path, maxKitFileBytes, 'file of the startup kit').catch((cause: unknown) => {
    if (!isConsiliumError(cause, 'ConfigError')) throw cause;
    const hint = `A startup kit is a folder made by \`consilium provision\`, with ${signedFiles.join(', ')}, key.pem and manifest.json.`;
    throw new ConfigError(cause.message, { cause, hint });
  });
  if (bytes.byteLength <= maxKitFileBytes) return bytes;
  throw tampered(`'${path}' is larger than any file of a kit`);
}

/** @throws ConfigError when anybody else may read the key. Windows has other rights, which say nothing here. */
async function readKey(root: string): Promise<string> {
  const path = join(root, 'key.pem');
  const bytes = await readKitFile(root, 'key.pem');
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const rights = (mode & 0o777).toString(8).padStart(4, '0');
    throw new ConfigError(`The key '${path}' may be read by others than its owner (mode ${rights}).`, {
      hint: `Run: chmod 600 '${path}'. If others had access to this machine, ask for a new kit.`,
    });
  }
  return Buffer.from(bytes).toString('utf8');
}

/** `kit.json` and the certificate are both signed; a kit that was put together from two is found here. */
function checkConsistent(root: string, info: KitInfo, facts: CertificateFacts): void {
  for (const field of ['name', 'role', 'org'] as const) {
    if (info[field] === facts[field]) continue;
    throw tampered(`'${root}': kit.json says ${field} '${info[field]}', the certificate '${facts[field]}'`);
  }
  if (kindOf(facts.role) !== info.kind) throw tampered(`'${root}': a kit of kind '${info.kind}' for a ${facts.role}`);
}

function otherKind(root: string, { kind, name }: KitInfo, expected: KitKind): ConfigError {
  const command: { readonly [K in KitKind]: string } = {
    server: `start it with \`consilium server --kit '${root}'\``,
    site: `start it with \`consilium client --kit '${root}'\``,
    admin: 'use it for `consilium submit`, `jobs` and the like',
  };
  return new ConfigError(
    `'${root}' is the kit of the ${kind} '${name}', but that of ${articled(expected)} is needed.`,
    {
      hint: `Name another folder with --kit; this one: ${command[kind]}.`,
    },
  );
}

function articled(kind: KitKind): string {
  return kind === 'admin' ? 'a person (a researcher, say)' : `a ${kind}`;
}

function tampered(why: string): RefusedError {
  return new RefusedError(`The startup kit is refused: ${why}.`, {
    hint: 'Unpack the kit again as it came, or ask for a new one. Settings are changed in the .yaml files only.',
  });
}
