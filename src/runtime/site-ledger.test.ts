import { describe, expect, it } from 'vitest';
import { quickDisk } from '../../test/support/sim/crash';
import type { SimDisk } from '../../test/support/sim/disk';
import { errorFromData, errorToData } from '../errors';
import type { PrivacyCost } from '../privacy/cost';
import { failureSummary } from '../protocol/failure-summary';
import { siteLedger } from './site-ledger';

const cost = (epsilon: number): PrivacyCost => ({
  mechanism: 'svt',
  differentiallyPrivate: true,
  epsilon,
  delta: 0,
  unit: 'one update',
  details: { released: 3 },
});
const train = (round: number) => ({ kind: 'train', round });
const ledger = '/site/privacy/ledger.jsonl';
const open = (sim: SimDisk) => siteLedger('/site', 'site-1', sim.mount());

/** A ledger of ε 0.5, 0.25 and 0.125 in rounds 0, 1 and 2. */
async function charged(): Promise<SimDisk> {
  const sim = quickDisk(1);
  const first = await open(sim);
  await first.charge(train(0), 'svt', cost(0.5));
  await first.charge(train(1), 'svt', cost(0.25));
  await (await open(sim)).charge(train(2), 'svt', cost(0.125));
  return sim;
}

const refused = (problem: RegExp) => ({
  tag: 'DataError',
  message: expect.stringMatching(problem),
  hint: expect.stringContaining('does not train'),
});

describe('the ledger of a site', () => {
  it('goes on where an earlier process left it, after a power cut too', async () => {
    const sim = await charged();
    sim.powerCut('nothing');
    const later = await open(sim);
    expect(later.spent('svt')).toBe(0.875);
    expect(later.booked(1)).toEqual([cost(0.25)]);
    expect(later.spent('other')).toBe(0);
  });

  it('books charges that come at one time one after the other', async () => {
    const sim = quickDisk(1);
    const together = await open(sim);
    await Promise.all([1, 2, 3, 4].map((round) => together.charge(train(round), 'svt', cost(round))));
    expect((await open(sim)).spent('svt')).toBe(10);
  });

  it.each(['sync', 'syncFolder'])('is whole after a charge that failed in its %s, and the same again', async (kind) => {
    const sim = quickDisk(1);
    const account = await open(sim);
    let left = 1;
    sim.faults.fail = (operation) =>
      operation.kind === kind && operation.path.startsWith('/site/privacy') && left-- > 0 ? 'EIO' : undefined;
    await expect(account.charge(train(0), 'svt', cost(0.5))).rejects.toMatchObject({ tag: 'WorkspaceError' });
    await account.charge(train(0), 'svt', cost(0.5));
    await account.charge(train(1), 'svt', cost(0.25));
    expect((await open(sim)).spent('svt')).toBe(account.spent('svt'));
    expect(account.spent('svt')).toBeGreaterThanOrEqual(0.75);
  });

  it('is refused with any wrong bit in it', async () => {
    const files = (await charged()).files();
    for (let at = 0; at < files.get(ledger)!.length; at++) {
      const sim = quickDisk(2, { files });
      sim.damage(ledger, (bytes) => bytes.fill(bytes[at]! ^ (1 << (at % 8)), at, at + 1));
      await expect(open(sim), `byte ${at}`).rejects.toMatchObject(refused(/ledger\.jsonl/));
    }
  });

  it('is refused cut short anywhere, and gone', async () => {
    const files = (await charged()).files();
    for (let size = 0; size < files.get(ledger)!.length; size++) {
      const sim = quickDisk(2, { files });
      sim.damage(ledger, (bytes) => bytes.subarray(0, size));
      await expect(open(sim), `cut to ${size}`).rejects.toMatchObject(refused(/whole lines, and 3 were written/));
    }
    const gone = quickDisk(2, { files });
    gone.lose(ledger);
    await expect(open(gone)).rejects.toMatchObject(refused(/0 whole lines, and 3 were written/));
  });

  it('is refused with a line missing from its middle, twice there, or in another order', async () => {
    const files = (await charged()).files();
    const changes: ((lines: string[]) => string[])[] = [
      ([a, , c]) => [a!, c!],
      ([, b, c]) => [b!, c!],
      ([a, b, c]) => [a!, b!, b!, c!],
      ([a, b, c]) => [b!, a!, c!],
    ];
    for (const change of changes) {
      const sim = quickDisk(2, { files });
      sim.damage(ledger, (bytes) => Buffer.from(`${change(String(bytes).trimEnd().split('\n')).join('\n')}\n`));
      await expect(open(sim)).rejects.toMatchObject(refused(/is not as it was written/));
    }
  });

  it('is refused when it is an older one', async () => {
    const sim = quickDisk(1);
    await (await open(sim)).charge(train(0), 'svt', cost(0.5));
    const older = sim.files().get(ledger)!;
    await (await open(sim)).charge(train(1), 'svt', cost(0.25));
    sim.damage(ledger, () => older);
    await expect(open(sim)).rejects.toMatchObject(refused(/1 whole lines, and 2 were written/));
  });

  it('goes on when only the count of its lines is damaged or gone', async () => {
    const sim = await charged();
    sim.damage('/site/privacy/ledger.count.json', (bytes) => bytes.subarray(0, 10));
    expect((await open(sim)).spent('svt')).toBe(0.875);
    sim.lose('/site/privacy/ledger.count.json');
    expect((await open(sim)).spent('svt')).toBe(0.875);
  });

  it('books nothing when the disk is full or reports an error, and books when it can again', async () => {
    for (const [code, fault] of [
      ['ENOSPC', { kind: 'write', code: 'ENOSPC' }],
      ['EIO', { kind: 'sync', code: 'EIO' }],
    ] as const) {
      const sim = await charged();
      const one = await open(sim);
      sim.faults.fail = ({ kind }) => (kind === fault.kind ? fault.code : undefined);
      await expect(one.charge(train(3), 'svt', cost(1))).rejects.toMatchObject({
        tag: 'WorkspaceError',
        message: expect.stringMatching(new RegExp(`ledger\\.jsonl.*${code}`)),
      });
      sim.faults.fail = undefined;
      expect(one.spent('svt')).toBe(0.875);
      await one.charge(train(3), 'svt', cost(2));
      sim.powerCut('nothing');
      expect((await open(sim)).spent('svt')).toBe(2.875);
    }
  });

  it('that cannot be read is told to who submitted the job as such, without a path or a number of it', async () => {
    const sim = await charged();
    sim.faults.fail = ({ kind, path }) => (kind === 'readFile' && path === ledger ? 'EIO' : undefined);
    const broken = await charged();
    broken.damage(ledger, (bytes) => bytes.subarray(0, 20));
    for (const [one, tag] of [
      [broken, 'DataError'],
      [sim, 'WorkspaceError'],
    ] as const) {
      const error = await open(one).catch((reason: unknown) => reason);
      expect(failureSummary(errorFromData(structuredClone(errorToData(error))))).toEqual({
        tag,
        message: `its account of privacy cannot be read (${tag}), so it trains nothing until its operator has restored it; the site's log has the details`,
        hint: undefined,
        stack: undefined,
      });
    }
  });
});
