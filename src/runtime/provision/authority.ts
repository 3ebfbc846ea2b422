/**
 * A project's own certificate authority: the one place that makes keys and certificates. EC P-256 throughout.
 *
 * @module
 */
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { Name } from '@peculiar/x509';
import type { Role } from '../../transport/connection';

/** A certificate and its private key, PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** Whom a certificate is for. */
export interface Subject {
  readonly name: string;
  readonly role: Role;
  readonly org: string;
  /** Of a server: every name and number by which it is reached. */
  readonly hosts?: readonly string[];
}

export interface Validity {
  readonly days: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export const longestLeafDays = 398;
const authorityDays = 3650;
const dayMs = 24 * 3600 * 1000;
/** Certificates are valid from an hour ago on: a clock that is a little slow must not refuse a kit made just now. */
const backdatedMs = 3600 * 1000;

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The library. It needs `Reflect.getMetadata`, and takes a while to load. */
function x509(): typeof import('@peculiar/x509') {
  require('reflect-metadata');
  return require('@peculiar/x509');
}

/** A new authority, valid for ten years. */
export async function createAuthority(project: string, org: string, now: number): Promise<Credentials> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = x509();
  const { SubjectKeyIdentifierExtension } = x509();
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: distinguishedName(project, 'authority', org),
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + authorityDays * dayMs),
    signingAlgorithm: signing,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(certificate.toString('pem')), key: await pemOf(keys.privateKey) };
}

/** A key of its own and a certificate for it. */
export async function issue(authority: Credentials, subject: Subject, validity: Validity): Promise<Credentials> {
  const keys = await newKeys();
  return { cert: await certify(authority, subject, keys.publicKey, validity), key: await pemOf(keys.privateKey) };
}

/** A certificate for a key that somebody else holds. It never outlives the authority's own. */
export async function certify(
  authority: Credentials,
  { name, role, org, hosts = [] }: Subject,
  publicKey: webcrypto.CryptoKey,
  { days, now }: Validity,
): Promise<string> {
  const lib = x509();
  const issuer = new lib.X509Certificate(authority.cert);
  const until = Math.min(now + Math.min(days, longestLeafDays) * dayMs, issuer.notAfter.getTime());
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }));
  const use = role === 'server' ? lib.ExtendedKeyUsage.serverAuth : lib.ExtendedKeyUsage.clientAuth;
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: distinguishedName(name, role, org),
    issuer: issuer.subjectName,
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(until),
    signingAlgorithm: signing,
    publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new lib.BasicConstraintsExtension(false, undefined, true),
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.digitalSignature, true),
      new lib.ExtendedKeyUsageExtension([use], false),
      await lib.SubjectKeyIdentifierExtension.create(publicKey),
      await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length === 0 ? [] : [new lib.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return pem(certificate.toString('pem'));
}

/** A key and a request for a certificate for it (PKCS #10), which proves that who asks holds the key. PEM. */
export async function createRequest(name: string): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await newKeys();
  const request = await x509().Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: signing,
  });
  return { request: pem(request.toString('pem')), key: await pemOf(keys.privateKey) };
}

/**
 * The public key of a request, once the request has proven that its sender holds the private one.
 *
 * @returns `undefined` when it is no request, is not for this name, or proves nothing.
 */
export async function keyOfRequest(request: string, name: string): Promise<webcrypto.CryptoKey | undefined> {
  try {
    const read = new (x509().Pkcs10CertificateRequest)(request);
    if (read.subjectName.getField('CN').join() !== name || !(await read.verify())) return undefined;
    return (await read.publicKey.export(keyAlgorithm, ['verify'])) as webcrypto.CryptoKey;
  } catch {
    return undefined; // Whatever it is, it is no request for a key of this kind.
  }
}

/** The library reads a plain text as one with escapes, quotes and raw bytes in it, where a backslash is lost: so it is told the type. */
function distinguishedName(name: string, role: string, org: string): Name {
  return new (x509().Name)([{ CN: [name] }, { OU: [role] }, { O: [{ utf8String: org }] }]);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

function importKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, keyAlgorithm, false, ['sign']);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** 127 random bits: positive, and never the same twice. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function pem(text: string): string {
  return `${text.trim().replaceAll('\r', '')}\n`;
}
