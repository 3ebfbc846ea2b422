import { expect, it } from 'vitest';
import { simProcess, simTime } from '../../../test/support/sim/clock';
import type { AuditEvent } from '../audit';
import { refusalAudit } from './refusals';

it('refused connections of one kind are one record at once, and a count a minute later, so that nobody fills the disk by knocking', async () => {
  const time = simTime();
  const records: AuditEvent[] = [];
  const { refused, stop } = refusalAudit(simProcess(time).clock, (event) => records.push(event));
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
  stop();
});
