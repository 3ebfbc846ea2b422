/**
 * Certificates for tests of connections: right ones, and wrong in every way that `provision` never makes.
 *
 * @module
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const { subtle } = webcrypto;
const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 24 * 3600 * 1000;
export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const serverAuth = '1.3.6.1.5.5.7.3.1';

/** A certificate and its key, PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFields {
  /** All common names, organisational units: one each in a good certificate. */
  readonly names?: readonly string[];
  readonly units?: readonly string[];
  readonly usages?: readonly string[];
  /** DNS names and addresses of a server. */
  readonly hosts?: readonly string[];
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
}

export interface Authority {
  /** PEM of its own certificate. */
  readonly ca: string;
  issue(fields: CertificateFields): Promise<Credentials>;
}

export async function authority(name = 'CN=test project CA'): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: signing,
    notBefore: inDays(-400),
    notAfter: inDays(3000),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return { ca: own.toString('pem'), issue: (fields) => issue(own, keys.privateKey, fields) };
}

/** The authority of a provisioned project, when somebody has got hold of its key. */
export async function authorityWith({ cert, key }: Credentials): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const der = Buffer.from(key.replace(/-----[^-]+-----/g, ''), 'base64');
  const signingKey = await subtle.importKey('pkcs8', der, signing, false, ['sign']);
  return { ca: cert, issue: (fields) => issue(new x509.X509Certificate(cert), signingKey, fields) };
}

async function issue(
  issuer: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  { names = ['site-1'], units = ['site'], usages = [clientAuth], hosts = [], from = -1, to = 30 }: CertificateFields,
): Promise<Credentials> {
  const keys = await newKeys();
  const alternatives = hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' : 'dns', value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [...names.map((value) => ({ CN: [value] })), ...units.map((value) => ({ OU: [value] }))],
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: signing,
    notBefore: inDays(from),
    notAfter: inDays(to),
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
      ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension([...alternatives])] : []),
    ],
  });
  const key = Buffer.from(await subtle.exportKey('pkcs8', keys.privateKey));
  return { cert: certificate.toString('pem'), key: pem('PRIVATE KEY', key) };
}

export function issueServer(from: Authority, fields: CertificateFields = {}): Promise<Credentials> {
  const usual = { names: ['server'], units: ['server'], usages: [serverAuth], hosts: ['localhost', '127.0.0.1'] };
  return from.issue({ ...usual, ...fields });
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return subtle.generateKey(signing, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function inDays(days: number): Date {
  return new Date(Date.now() + days * dayMs);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
