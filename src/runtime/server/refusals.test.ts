import { expect, it } from 'vitest';
import { simProcess, simTime } from '../../../test/support/sim/clock';
import type { AuditEvent } from '../audit';
import { refusalRecords } from './refusals';

function recorded() {
  const time = simTime();
  const records: AuditEvent[] = [];
  const lines: string[] = [];
  const { clock } = simProcess(time);
  const refusals = refusalRecords(
    clock,
    (event) => records.push(event),
    (line) => lines.push(line),
  );
  return { time, records, lines, ...refusals };
}

it('refused connections of one kind are one record at once, and a count a minute later, so that nobody fills the disk by knocking', async () => {
  const { time, records, lines, refused, stop } = recorded();
  const knock = { address: '10.0.0.1', reason: { code: 'not-allowed', message: 'No certificate was shown.' } } as const;
  const identity = { name: 'site-9', role: 'site', fingerprint: 'f' } as const;
  for (let i = 0; i < 10_000; i++) refused(knock);
  refused({ ...knock, identity });
  const about = { event: 'refused', address: '10.0.0.1', code: 'not-allowed', reason: 'No certificate was shown.' };
  expect(records).toEqual([about, { ...about, name: 'site-9', role: 'site', fingerprint: 'f' }]);
  await time.runFor(60_000);
  expect(records.slice(2)).toEqual([{ ...about, more: 9999 }]);
  refused(knock);
  expect(records.slice(3)).toEqual([about]);
  for (let i = 0; i < 5000; i++) refused({ ...knock, address: `10.1.${i >> 8}.${i & 255}` });
  expect(records.length).toBeLessThan(1010); // Nor by knocking from many places.
  expect(lines).toHaveLength(records.length);
  stop();
});

it("each record is a line of the server's log as well, with whom, why and the next step", async () => {
  const { time, records, lines, refused, sentAway, stop } = recorded();
  const hint = 'Install the same release at both ends.';
  const identity = { name: 'site-9', role: 'site', fingerprint: 'f' } as const;
  const site = { name: 'site-2', role: 'site', fingerprint: 'e' } as const;
  refused({
    address: '10.0.0.1',
    reason: { code: 'not-allowed', message: 'No certificate was shown.', hint: 'Use a kit.' },
  });
  refused({ address: '10.0.0.2', identity, reason: { code: 'revoked', message: "'site-9' was revoked." } });
  for (let i = 0; i < 3; i++) sentAway(site, { code: 'version', message: 'You speak\n\u001b[31m7.', hint });
  await time.runFor(60_000);
  sentAway(site, { code: 'revoked', message: 'It was revoked.' });
  expect(lines).toEqual([
    'refused somebody at 10.0.0.1: No certificate was shown. → Use a kit.',
    "refused the site 'site-9' at 10.0.0.2: 'site-9' was revoked.",
    `refused the site 'site-2': You speak [31m7. → ${hint}`,
    `refused the site 'site-2', 2 more times within a minute: You speak [31m7. → ${hint}`,
    "refused the site 'site-2', who was connected: It was revoked.",
  ]);
  expect(records.map(({ event, more }) => [event, more])).toEqual([
    ['refused', undefined],
    ['refused', undefined],
    ['sent-away', undefined],
    ['sent-away', 2],
    ['sent-away', undefined],
  ]);
  stop();
});
