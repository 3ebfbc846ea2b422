import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simDisk } from '../../../test/support/sim/disk';
import { nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import type { Roster } from '../provision/roster';
import { openRosterRecord } from './roster-record';

let folder: string;
let workspace: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roster-record-'));
});
beforeEach(async () => {
  workspace = await mkdtemp(join(folder, 'workspace-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const caFingerprint = 'c'.repeat(64);
const opened = (changes = {}) => openRosterRecord({ disk: nodeDisk, workspace, caFingerprint, ...changes });
const entry = (name: string, status: 'active' | 'revoked' = 'active'): Roster['entries'][number] => ({
  ...{ name, role: 'site', org: 'North', fingerprint: 'a'.repeat(64), status },
  notAfter: '2030-01-01T00:00:00Z',
});
const roster = (serial: number, ...entries: Roster['entries']): Roster => ({
  ...{ version: 1, project: 'demo', serial, entries },
});
const recordFile = () => join(workspace, 'roster-in-force.json');

describe('the roster that was in force in a workspace', () => {
  it('is refused by no later process, nor is a newer one', async () => {
    await (await opened()).keep(roster(5, entry('site-1')));
    const record = await opened();
    record.check(roster(5, entry('site-1')), 'roster.json');
    record.check(roster(6), 'roster.json');
    await record.keep(roster(4)); // Changes nothing.
    expect(JSON.parse(await readFile(recordFile(), 'utf8'))).toMatchObject({ serial: 5, ca: caFingerprint });
  });

  it('refuses an older one, with both numbers, where it looked, and what to do', async () => {
    await (await opened()).keep(roster(5, entry('site-1', 'revoked')));
    const record = await opened();
    expect(() => record.check(roster(4, entry('site-1')), '/kit/roster.json')).toThrow(
      expect.objectContaining({
        tag: 'RefusedError',
        message: `The roster '/kit/roster.json' is refused: its serial is 4, but 5 was in force at this server, says '${recordFile()}'.`,
        hint: expect.stringMatching(
          /^Copy the newest roster\.json .* restored from a backup, .* remove '.*roster-in-force\.json'/,
        ),
      }),
    );
  });

  it('refuses another one of the same serial', async () => {
    await (await opened()).keep(roster(5, entry('site-1', 'revoked')));
    const record = await opened();
    expect(() => record.check(roster(5, entry('site-1')), 'roster.json')).toThrow('another roster of that serial');
  });

  it('is not compared with those of another project, which have a workspace of their own', async () => {
    await (await opened()).keep(roster(5));
    await expect(opened({ caFingerprint: 'd'.repeat(64) })).rejects.toMatchObject({
      message: expect.stringContaining('is of a server of another project'),
      hint: 'Choose another --workspace.',
    });
  });

  it('is not taken for none when its record is damaged', async () => {
    await writeFile(recordFile(), '{"version": 1');
    await expect(opened()).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringContaining('is damaged'),
      hint: expect.stringContaining('newest roster.json'),
    });
  });

  it('outlasts a power cut that comes right after it was noted', async () => {
    const disk = simDisk({ random: () => 0.5, clock: nodeClock });
    await (await opened({ disk: disk.mount(), workspace: '/server' })).keep(roster(5));
    disk.powerCut('nothing');
    const after = await opened({ disk: disk.mount(), workspace: '/server' });
    expect(() => after.check(roster(4), 'roster.json')).toThrow('its serial is 4, but 5 was in force');
  });
});
