import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testFederation } from '../../../test/support/federation';
import { createAuthority, issue } from './authority';
import { certificateFacts, checkIssued, parseCertificate } from './certificate';
import { participantSpec } from './project';
import { addParticipant } from './provision';

const tricky = [
  'back\\slash',
  'ends in a backslash\\',
  'a, O="other"+CN=server',
  '"quoted"',
  'half "quoted',
  '#04024869',
  'C=x+CN=y, OU=admin',
  '\\0a \\, \\2c %00 $HOME $(id)',
  'Charité – Universitätsmedizin Berlin',
  '東京大学医学部附属病院',
  'Hôpital 🏥',
  "<b>&amp;</b> | `x` ; 'y'",
  '=',
  '+',
  'ends in a blank ',
];
const printable = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 64 })
  .filter((org) => participantSpec.shape.org.safeParse(org).success);
/** Mostly of what a text form of names would give a meaning. */
const marked = fc
  .string({ unit: fc.constantFrom(...'\\",+=#<>;ab \'/0Oé'), minLength: 1, maxLength: 64 })
  .filter((org) => participantSpec.shape.org.safeParse(org).success);
const days = { days: 30, now: Date.now() };

describe('the organisation of a certificate', () => {
  it('is what was asked for, whatever its characters mean elsewhere, and so is that of the authority', async () => {
    const plain = await createAuthority('demo', 'Operator', days.now);
    await fc.assert(
      fc.asyncProperty(fc.oneof(printable, marked), async (org) => {
        const { cert } = await issue(plain, { name: 'site-1', role: 'site', org }, days);
        const facts = certificateFacts(parseCertificate(cert, 'It'), 'It');
        expect(facts).toMatchObject({ name: 'site-1', role: 'site', org });
      }),
      { numRuns: 150, seed: 1, examples: tricky.map((org) => [org] as [string]) },
    );
    await fc.assert(
      fc.asyncProperty(marked, async (org) => {
        const authority = await createAuthority('demo', org, days.now);
        const { cert } = await issue(authority, { name: 'site-1', role: 'site', org: 'North' }, days);
        checkIssued(parseCertificate(cert, 'It'), parseCertificate(authority.cert, 'ca.pem'), 'It');
      }),
      { numRuns: 30, seed: 2, examples: tricky.map((org) => [org] as [string]) },
    );
  });

  it('is that of a kit that its owner can start with', async () => {
    const federation = await testFederation({ server: { hosts: ['localhost'], org: tricky[0] } });
    try {
      for (const [i, org] of tricky.entries()) {
        await addParticipant(federation.out, { name: `z${i}`, org, role: 'site' });
        expect(await federation.kit(`z${i}`)).toMatchObject({ name: `z${i}`, role: 'site', org });
      }
      expect(await federation.kit('server')).toMatchObject({ name: 'server', org: tricky[0] });
    } finally {
      await rm(dirname(federation.out), { recursive: true, force: true });
    }
  });
});
