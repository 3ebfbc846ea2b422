/**
 * Certificates as this project makes them: who somebody is, and whether the project's authority said so. Reading needs only
 * Node; what makes certificates is in `authority.ts`.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ConfigError, RefusedError } from '../../errors';
import { type Identity, type Role, roles } from '../../transport/connection';

/** What a certificate says. */
export interface CertificateFacts extends Identity, Dates {
  /** Organisation. */
  readonly org: string;
}

/** First and last moment of a certificate's validity, milliseconds since 1970. */
export interface Dates {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A name of a server, site or person: what the certificate says, and what a roster and a job call it. */
export const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const nameRule = 'lower-case letters, digits and dashes, at most 63, no dash first';

const serverUse = '1.3.6.1.5.5.7.3.1';
const clientUse = '1.3.6.1.5.5.7.3.2';

/** @param what how messages call it. @throws ConfigError for what is no certificate; RefusedError for one of another kind of key. */
export function parseCertificate(pem: string | Uint8Array, what: string): X509Certificate {
  let certificate: X509Certificate;
  let curve: string | undefined;
  try {
    certificate = new X509Certificate(pem);
    curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  } catch (cause) {
    throw new ConfigError(`${what} is no certificate.`, { cause, hint: 'Take the file from the startup kit again.' });
  }
  if (curve === 'prime256v1') return certificate;
  throw refusal(what, 'its key is not of the kind of this project, EC P-256');
}

/**
 * Who a certificate is for: exactly one name, exactly one role that it may be used for.
 *
 * @throws RefusedError for anything else: two names, a name that is none of ours, an unknown role, another use.
 */
export function certificateFacts(certificate: X509Certificate, what: string): CertificateFacts {
  // In Node 20, a process that asks for this before it has loaded `tls` gets only half of `tls` afterwards.
  require('node:tls');
  // Several values of one field come as a list, whatever the types say.
  const subject: Readonly<Record<string, unknown>> = { ...certificate.toLegacyObject().subject };
  const { CN: name, OU: role, O: org } = subject;
  if (typeof name !== 'string' || !namePattern.test(name)) {
    throw refusal(what, `the name in it, ${show(name)}, is not one of ${nameRule}`);
  }
  if (!isRole(role)) throw refusal(what, `the role in it, ${show(role)}, is not one of ${roles.join(', ')}`);
  if (typeof org !== 'string') throw refusal(what, `the organisation in it is ${show(org)}`);
  const use = role === 'server' ? serverUse : clientUse;
  if (!certificate.keyUsage?.includes(use)) throw refusal(what, `it may not be used as that of a ${role}`);
  return {
    name,
    role,
    org,
    fingerprint: fingerprintOf(certificate),
    ...datesOf(certificate),
  };
}

export function datesOf({ validFrom, validTo }: X509Certificate): Dates {
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}

/** SHA-256 of a certificate, hex in lower case without colons. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Whether a private key is the one that a certificate is for; not, when it is no key at all. @param key PEM */
export function keyBelongs(key: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** @throws RefusedError when the authority did not issue the certificate. */
export function checkIssued(certificate: X509Certificate, authority: X509Certificate, what: string): void {
  if (authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey)) return;
  throw refusal(what, `the authority of this project (${shortFingerprint(fingerprintOf(authority))}) did not issue it`);
}

/** @throws RefusedError when a moment lies outside of the certificate's validity. */
export function checkDates({ notBefore, notAfter }: Dates, now: number, what: string): void {
  if (now < notBefore) {
    throw new RefusedError(`${what} is valid from ${day(notBefore)} on, but this machine says it is ${day(now)}.`, {
      hint: "Set this machine's clock.",
    });
  }
  if (now > notAfter) {
    throw new RefusedError(`${what} has expired on ${day(notAfter)}; this machine says it is ${day(now)}.`, {
      hint: "Check this machine's clock; if it is right, ask for a new kit: `consilium provision renew NAME`.",
    });
  }
}

/** A fingerprint as people compare it: in groups of four. */
export function readableFingerprint(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(' ') ?? '';
}

function shortFingerprint(fingerprint: string): string {
  return `${fingerprint.slice(0, 16)}…`;
}

/** `2026-11-27T04:03:38Z`. */
export function day(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function isRole(value: unknown): value is Role {
  return (roles as readonly unknown[]).includes(value);
}

function refusal(what: string, why: string): RefusedError {
  return new RefusedError(`${what} is refused: ${why}.`, {
    hint: 'Use the startup kit that this project made for this machine.',
  });
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}
