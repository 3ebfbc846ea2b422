/**
 * A startup kit: the folder by which a server, a site or a person takes part in a project. It is read once, at the start,
 * and every byte that matters is checked first.
 *
 * @module
 */
import { InternalError } from '../../errors';
import type { Role } from '../../transport/connection';

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
 * certificate, the certificate is the project's own and valid now.
 *
 * @throws ConfigError for what is missing, of another kind or readable by others; RefusedError for what was changed, is not of
 * this project or has expired. One cause each, with the next step.
 */
export function loadKit(_folder: string, _expected: KitKind, _options: LoadKitOptions = {}): Promise<Kit> {
  throw new InternalError('Not written yet.');
}
