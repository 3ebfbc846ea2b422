import { describe, expect, it } from 'vitest';
import { quickDisk, runUntil } from '../../test/support/sim/crash';
import type { SimDisk } from '../../test/support/sim/disk';
import type { Disk } from '../util/disk';
import { sha256Of } from '../util/sha256';
import { type AuditLog, openAudit, verifyAudit } from './audit';

const file = '/w/audit.jsonl';
const head = '/w/audit.head.json';
const now = 0;
const timers: (() => void)[] = [];
const clock = {
  monotonicMs: () => now,
  wallMs: () => Date.UTC(2026, 0, 1) + now,
  after(_: number, act: () => void) {
    timers.push(act);
    return () => void timers.splice(timers.indexOf(act), 1);
  },
};

async function written(count: number): Promise<SimDisk> {
  const sim = quickDisk(1);
  const log = await openAudit(file, { disk: sim.mount(), clock });
  for (let i = 0; i < count; i++) await log.append({ event: 'joined', site: `site-${i}` });
  await log.close();
  return sim;
}

const linesOf = (sim: SimDisk) => String(sim.files().get(file)).trimEnd().split('\n');
const replace = (sim: SimDisk, path: string, text: string) => sim.damage(path, () => Buffer.from(text));
const verdictOf = (sim: SimDisk, expected?: string) => verifyAudit(file, sim.mount(), expected);

describe('audit log', () => {
  it('chains each record to the one before by the SHA-256 of its line, also over several processes', async () => {
    const sim = await written(2);
    const log = await openAudit(file, { disk: sim.mount(), clock });
    await Promise.all([log.append({ event: 'left', site: 'site-0' }), log.append({ event: 'left', site: 'site-1' })]);
    await log.close();
    const lines = linesOf(sim);
    expect(lines.map((line) => JSON.parse(line).n)).toEqual([1, 2, 3, 4]);
    expect(JSON.parse(lines[0]!).prev).toBe('0'.repeat(64));
    for (let i = 1; i < 4; i++) expect(JSON.parse(lines[i]!).prev).toBe(sha256Of(Buffer.from(lines[i - 1]!)));
    expect(await verdictOf(sim)).toMatchObject({ whole: true, records: 4, lastHash: sha256Of(Buffer.from(lines[3]!)) });
  });

  it('writes records that come at one time with one flush, and has them on disk when it says so', async () => {
    let flushes = 0;
    const sim = quickDisk(1, {
      onOperation: ({ kind, path }, when) => void (when === 'before' && kind === 'sync' && path === file && flushes++),
    });
    const log = await openAudit(file, { disk: sim.mount(), clock });
    await Promise.all(Array.from({ length: 100 }, (_, i) => log.append({ event: 'joined', site: `site-${i}` })));
    expect(flushes).toBe(1);
    sim.powerCut('nothing');
    expect(linesOf(sim)).toHaveLength(100);
    expect(await verdictOf(sim)).toMatchObject({ whole: true, records: 100 });
  });

  it('finds every changed byte', async () => {
    const whole = await written(5);
    const text = String(whole.files().get(file));
    for (let at = 0; at < text.length; at += 7) {
      const sim = await written(5);
      replace(sim, file, `${text.slice(0, at)}${text[at] === '7' ? '8' : '7'}${text.slice(at + 1)}`);
      expect(await verdictOf(sim), `byte ${at}`).toMatchObject({ whole: false });
    }
  });

  it('finds a record that was removed, moved or inserted, and records that were cut off', async () => {
    const lines = linesOf(await written(5));
    const changed: Record<string, readonly string[]> = {
      removed: lines.filter((_, i) => i !== 2),
      moved: [lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)],
      inserted: [...lines.slice(0, 2), lines[1]!, ...lines.slice(2)],
      'cut off': lines.slice(0, 4),
      'cut off in a line': [...lines.slice(0, 4), lines[4]!.slice(0, 20)],
      emptied: [],
    };
    for (const [what, left] of Object.entries(changed)) {
      const sim = await written(5);
      replace(sim, file, left.map((line) => `${line}\n`).join(''));
      if (what === 'cut off in a line') replace(sim, file, left.join('\n'));
      expect(await verdictOf(sim), what).toMatchObject({ whole: false });
    }
  });

  it('says which record is wrong', async () => {
    const sim = await written(5);
    replace(sim, file, linesOf(sim).join('\n').replace('site-1', 'site-9').concat('\n'));
    expect(await verdictOf(sim)).toEqual({
      whole: false,
      record: 3,
      problem: 'The record before it was changed: its hash differs.',
    });
  });

  it('checks a hash that was noted elsewhere, so that a whole forged chain is found', async () => {
    const noted = sha256Of(Buffer.from(linesOf(await written(3))[1]!));
    expect(await verdictOf(await written(5), noted)).toMatchObject({ whole: true });
    const other = quickDisk(1);
    const log = await openAudit(file, { disk: other.mount(), clock });
    await log.append({ event: 'joined', site: 'mallory' });
    await log.close();
    expect(await verdictOf(other, noted)).toMatchObject({ whole: false, problem: expect.stringContaining('expected') });
  });

  it('goes on after a crash at any operation, and loses no record that it had said to be on disk', async () => {
    for (const how of ['kill', 'power cut'] as const) {
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; ; at++) {
          const told: string[] = [];
          const { sim, result } = await runUntil({ at, when, how }, (disk) => fourRecords(disk, told), { seed: at });
          if (result !== undefined) break;
          const log = await openAudit(file, { disk: sim.mount(), clock });
          await log.append({ event: 'again' });
          await log.close();
          const kept = linesOf(sim).flatMap((line) => ('i' in JSON.parse(line) ? [String(JSON.parse(line).i)] : []));
          expect(kept.slice(0, told.length), `${how} ${when} ${at}`).toEqual(told);
          expect(await verdictOf(sim), `${how} ${when} ${at}`).toMatchObject({ whole: true });
        }
      }
    }
  });

  it('refuses to go on where records were cut off or the head is gone, and says what to do', async () => {
    const cut = await written(3);
    replace(cut, file, `${linesOf(cut).slice(0, 2).join('\n')}\n`);
    await expect(openAudit(file, { disk: cut.mount(), clock })).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: `The audit log '${file}' cannot be continued: it ends with record 2, but 3 were written.`,
      hint: expect.stringContaining('move it'),
    });
    const headless = await written(3);
    headless.lose(head);
    await expect(openAudit(file, { disk: headless.mount(), clock })).rejects.toThrow('head is missing');
  });

  it('refuses to go on where one of the last records was changed, also while the head is behind them', async () => {
    const sim = quickDisk(1);
    const log = await openAudit(file, { disk: sim.mount(), clock });
    const add = (event: string) => log.append({ event });
    await add('one');
    await add('two');
    timers.pop()!(); // The head is written, and the process killed before it is again.
    await log.flush();
    await add('three');
    await add('four');
    expect(JSON.parse(String(sim.files().get(head))).records).toBe(2);
    const lines = linesOf(sim);
    for (const [i, was] of ['one', 'two', 'three'].entries()) {
      replace(sim, file, `${lines.with(i, lines[i]!.replace(was, 'else')).join('\n')}\n`);
      const again = openAudit(file, { disk: sim.mount(), clock });
      await expect(again).rejects.toThrow(`cannot be continued: record ${i + 1} was changed`);
    }
    replace(sim, file, `${lines.join('\n')}\n`);
    await (await openAudit(file, { disk: sim.mount(), clock })).close();
  });

  it('goes on once there is space again after a full disk, and tells of what was not written', async () => {
    const sim = quickDisk(1);
    const log: AuditLog = await openAudit(file, { disk: sim.mount(), clock });
    await log.append({ event: 'one' });
    sim.faults.quotaBytes = [...sim.files().values()].reduce((sum, { length }) => sum + length, 0) + 20;
    await expect(log.append({ event: 'two' })).rejects.toMatchObject({ tag: 'WorkspaceError' });
    await expect(log.flush()).rejects.toThrow('the disk is full');
    sim.faults.quotaBytes = undefined;
    await log.append({ event: 'three' });
    await log.close();
    expect(linesOf(sim).map((line) => JSON.parse(line).event)).toEqual(['one', 'three']);
    expect(await verdictOf(sim)).toMatchObject({ whole: true, records: 2 });
  });

  it('reads only the end of a long log when it opens', async () => {
    const sim = await written(3000);
    let read = 0;
    const disk = sim.mount();
    const counting = {
      ...disk,
      async open(...args: Parameters<typeof disk.open>) {
        const opened = await disk.open(...args);
        return {
          ...opened,
          read(into: Uint8Array, at: number) {
            read += into.length;
            return opened.read(into, at);
          },
        };
      },
    };
    await (await openAudit(file, { disk: counting, clock })).close();
    expect(sim.files().get(file)!.length).toBeGreaterThan(300_000);
    expect(read).toBeLessThan(150_000);
  });
});

async function fourRecords(disk: Disk, told: string[]): Promise<'done'> {
  const log = await openAudit(file, { disk, clock });
  for (let i = 0; i < 4; i++) await log.append({ event: 'counted', i }).then(() => told.push(String(i)));
  await log.close();
  return 'done';
}
