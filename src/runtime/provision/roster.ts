/**
 * The roster: who may connect, each by the one certificate that is pinned here. The project's authority signs it, the server
 * holds it.
 *
 * @module
 */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { isConsiliumError, RefusedError } from '../../errors';
import { type Identity, type Role, roles } from '../../transport/connection';
import { canonicalJson } from '../../util/canonical-json';
import { sha256Of } from '../../util/sha256';
import { namePattern, parseCertificate } from './certificate';
import { parseJsonFile } from './json-file';

const rosterEntry = z.strictObject({
  name: z.string().regex(namePattern),
  role: z.enum(roles),
  org: z.string().max(200),
  /** SHA-256 of the certificate, hex in lower case. */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  status: z.enum(['active', 'revoked']),
  /** Last moment of the certificate's validity. */
  notAfter: z.iso.datetime(),
});
export type RosterEntry = z.output<typeof rosterEntry>;

const roster = z
  .strictObject({
    version: z.literal(1),
    project: z.string(),
    /** Grows by one with every change. 0: nobody has been entered yet. */
    serial: z.int().nonnegative(),
    entries: z.array(rosterEntry).max(20_000),
  })
  .refine(({ entries }) => new Set(entries.map(({ name }) => name)).size === entries.length, 'a name stands twice');
export type Roster = z.output<typeof roster>;

const signedRoster = z.strictObject({ roster, signature: z.base64() });

/** Longest roster file, bytes. */
export const maxRosterBytes = 8 * 2 ** 20;

const purpose = 'consilium roster 1\n';

/** The roster as a file, signed with the authority's key. @param caKey PEM */
export function signRoster(content: Roster, caKey: string): string {
  const signature = sign('sha256', Buffer.from(purpose + canonicalJson(content)), caKey).toString('base64');
  return `${JSON.stringify({ roster: content, signature }, undefined, 1)}\n`;
}

/**
 * @param ca certificate of the project's authority, PEM
 * @throws ConfigError for what is no roster; RefusedError for one that the authority did not sign, or that is another project's.
 */
export function verifyRoster(
  bytes: Uint8Array,
  { ca, project, source }: { readonly ca: string; readonly project: string; readonly source: string },
): Roster {
  if (bytes.byteLength > maxRosterBytes) throw new RefusedError(`${source} is refused: no roster is so long.`);
  const { roster: content, signature } = parsed(bytes, source);
  const key = parseCertificate(ca, 'ca.pem').publicKey;
  if (!verify('sha256', Buffer.from(purpose + canonicalJson(content)), key, Buffer.from(signature, 'base64'))) {
    throw new RefusedError(`${source} is refused: the project's authority did not sign what it says.`, {
      hint: copyAgain,
    });
  }
  if (content.project !== project) {
    throw new RefusedError(`${source} is refused: it is of the project '${content.project}', not of '${project}'.`, {
      hint: `Copy the roster.json of '${project}'.`,
    });
  }
  return content;
}

const copyAgain =
  'Copy roster.json again from the folder that `consilium provision` writes; it is never edited by hand.';

function parsed(bytes: Uint8Array, source: string): z.output<typeof signedRoster> {
  try {
    return parseJsonFile(bytes, signedRoster, source);
  } catch (cause) {
    if (!isConsiliumError(cause, 'ConfigError')) throw cause;
    throw new RefusedError(`The roster is refused: ${cause.message}`, { hint: copyAgain });
  }
}

/** SHA-256 of what a roster says: its file differs with every signature. */
export function digestOfRoster(content: Roster): string {
  return sha256Of(Buffer.from(canonicalJson(content)));
}

/** Why somebody is not let in. */
export type AdmissionRefusal = 'unknown-name' | 'revoked' | 'other-certificate' | 'other-role' | 'expired';

export type Admission =
  | { readonly ok: true; readonly entry: RosterEntry }
  | { readonly ok: false; readonly code: AdmissionRefusal; readonly message: string; readonly hint: string };

/** Whether somebody whose certificate TLS has checked may connect. Pure. @param now milliseconds since 1970 */
export function admit({ entries }: Roster, identity: Identity, now: number): Admission {
  const { name, fingerprint, role } = identity;
  const entry = entries.find((one) => one.name === name);
  if (!entry) return refuse('unknown-name', `'${name}' is not on the roster of this project.`, add(role));
  if (entry.status === 'revoked' && entry.fingerprint === fingerprint) {
    return refuse('revoked', `The certificate of '${name}' was revoked.`, 'Ask the project for a new startup kit.');
  }
  if (entry.fingerprint !== fingerprint) {
    return refuse(
      'other-certificate',
      `'${name}' comes with another certificate than the one on the roster: it was renewed, or the name is taken.`,
      "Use the newest startup kit of this name; if this is the newest, copy roster.json from the provisioning folder into the server's kit.",
    );
  }
  if (role === 'server') {
    return refuse(
      'other-role',
      `'${name}' comes with the certificate of the server.`,
      'Use the kit of a site or an admin.',
    );
  }
  if (entry.role !== role) {
    const message = `'${name}' comes as ${role}, but is ${entry.role} on the roster.`;
    return refuse('other-role', message, 'Use the newest startup kit of this name.');
  }
  if (now > Date.parse(entry.notAfter)) {
    const message = `The certificate of '${name}' has expired on ${entry.notAfter}.`;
    return refuse('expired', message, `Ask for a new kit: \`consilium provision renew ${name}\`.`);
  }
  return { ok: true, entry };
}

/** Why nobody of this name will come, until the roster changes. */
export function barred({ entries }: Roster, name: string): string | undefined {
  const isRevoked = entries.find((one) => one.name === name)?.status === 'revoked';
  return isRevoked ? 'its certificate was revoked' : undefined;
}

function refuse(code: AdmissionRefusal, message: string, hint: string): Admission {
  return { ok: false, code, message, hint };
}

function add(role: Role): string {
  const command = role === 'site' ? 'add-site' : 'add-admin';
  return `Add it with \`consilium provision ${command}\`, then copy roster.json into the server's kit.`;
}
