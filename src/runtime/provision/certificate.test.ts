import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ExtendedKeyUsage, ExtendedKeyUsageExtension, type JsonName, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { isConsiliumError } from '../../errors';
import { certificateFacts, checkDates, checkIssued, parseCertificate, readableFingerprint } from './certificate';

let federation: TestFederation;
let pem: string;
let ca: string;
beforeAll(async () => {
  federation = await testFederation();
  pem = await readFile(join(federation.folder('ada'), 'cert.pem'), 'utf8');
  ca = await readFile(join(federation.out, 'ca', 'ca.pem'), 'utf8');
});
afterAll(() => rm(dirname(federation.out), { recursive: true, force: true }));

function look(text: string): void {
  const certificate = parseCertificate(text, 'It');
  checkIssued(certificate, parseCertificate(ca, 'ca.pem'), 'It');
  checkDates(certificateFacts(certificate, 'It'), Date.now(), 'It');
}

describe('a certificate', () => {
  it('with any bit changed is refused by an error of ours', () => {
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(() => look(pem)).not.toThrow();
    for (let bit = 0; bit < der.length * 8; bit += 3) {
      const changed = Buffer.from(der);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const text = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`;
      let found: unknown;
      try {
        look(text);
      } catch (error) {
        found = error;
      }
      expect(isConsiliumError(found), `bit ${bit}: ${String(found)}`).toBe(true);
    }
  });

  it.each([
    [
      'two names',
      [{ CN: ['site-1'] }, { CN: ['site-2'] }, { OU: ['site'] }, { O: ['A'] }],
      'the name in it, ["site-1","site-2"], is not one',
    ],
    ['no name', [{ OU: ['site'] }, { O: ['A'] }], 'the name in it, missing, is not one'],
    ['a name of 64 characters', [{ CN: ['a'.repeat(64)] }, { OU: ['site'] }, { O: ['A'] }], 'the name in it'],
    ['a name that is a path', [{ CN: ['../x'] }, { OU: ['site'] }, { O: ['A'] }], 'the name in it, "../x"'],
    ['a name in capitals', [{ CN: ['Site-1'] }, { OU: ['site'] }, { O: ['A'] }], 'the name in it, "Site-1"'],
    [
      'a name of look-alikes',
      [{ CN: ['s\u0456te-1'] }, { OU: ['site'] }, { O: ['A'] }],
      'the name in it, "s\u0456te-1"',
    ],
    [
      'a name and another field in it',
      [{ CN: ['site-1\nCN=site-2'] }, { OU: ['site'] }, { O: ['A'] }],
      'the name in it',
    ],
    [
      'two roles',
      [{ CN: ['site-1'] }, { OU: ['site'] }, { OU: ['admin'] }, { O: ['A'] }],
      'the role in it, ["site","admin"]',
    ],
    ['a role that is none', [{ CN: ['site-1'] }, { OU: ['root'] }, { O: ['A'] }], 'the role in it, "root"'],
    ['no organisation', [{ CN: ['site-1'] }, { OU: ['site'] }], 'the organisation in it is missing'],
    [
      'a use that is not that of its role',
      [{ CN: ['server'] }, { OU: ['server'] }, { O: ['A'] }],
      'it may not be used as that of a server',
    ],
  ])('with %s is nobody', async (_, name, message) => {
    const text = await selfSigned(name);
    expect(() => certificateFacts(parseCertificate(text, 'It'), 'It')).toThrow(message);
  });

  it('with another kind of key is refused', async () => {
    const text = await selfSigned([{ CN: ['site-1'] }], 'P-384');
    expect(() => parseCertificate(text, 'It')).toThrow('its key is not of the kind of this project, EC P-256');
  });

  it('is shown by its fingerprint in groups that can be read aloud', () => {
    expect(readableFingerprint('0123456789ab')).toBe('0123 4567 89ab');
  });
});

/** A certificate for clients with any subject. */
async function selfSigned(name: JsonName, namedCurve = 'P-256'): Promise<string> {
  const signing = { name: 'ECDSA', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: signing,
    extensions: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
  });
  return certificate.toString('pem');
}
