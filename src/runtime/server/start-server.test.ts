import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { revoke } from '../provision/provision';
import { type StartedServer, startServer } from './start-server';

let federation: TestFederation;
let folder: string;
let workspace: string;
beforeAll(async () => {
  federation = await testFederation({ server: { hosts: ['127.0.0.1'] } });
  await writeFile(join(kit(), 'server.yaml'), 'host: 127.0.0.1\nport: 0\nmetricsPort: null\n');
  folder = await mkdtemp(join(tmpdir(), 'start-server-'));
});
beforeEach(async () => {
  workspace = join(await mkdtemp(join(folder, 'one-')), 'workspace');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(dirname(federation.out), { recursive: true, force: true });
});

const kit = () => federation.folder('server');
const rosterFile = () => join(kit(), 'roster.json');

/** The server, and each line of its log from now on. */
async function started(where = workspace): Promise<StartedServer & { line(text: string): Promise<void> }> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const server = await startServer({
    kit: kit(),
    workspace: where,
    onLog(_, message) {
      lines.push(message);
      for (const look of waiting) look();
    },
  });
  const line = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => lines.some((one) => one.includes(text)) && resolve();
      waiting.add(look);
      look();
    });
  return { ...server, line };
}

async function auditOf(where: string): Promise<readonly Record<string, unknown>[]> {
  const lines = (await readFile(join(where, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

describe('a server whose roster was replaced while it ran', () => {
  it('does not start with the older one again, though it was killed, until the newest is back', async () => {
    const older = await readFile(rosterFile());
    const { serial } = JSON.parse(older.toString()).roster;
    const server = await started();
    await revoke(federation.out, ['ada']);
    await server.line('a new roster is in force');
    const killed = join(dirname(workspace), 'killed');
    await cp(workspace, killed, { recursive: true }); // What a process that is killed now leaves.
    await server.stop();
    const newest = await readFile(rosterFile());
    await writeFile(rosterFile(), older);
    await expect(started(killed)).rejects.toMatchObject({
      tag: 'RefusedError',
      message: expect.stringContaining(`its serial is ${serial}, but ${serial + 1} was in force at this server`),
    });
    await writeFile(rosterFile(), newest);
    await (await started(killed)).stop();
  });

  it('has in its audit log which one was in force at the start, and each that came after it', async () => {
    const server = await started();
    await revoke(federation.out, ['site-2']);
    await server.line('a new roster is in force');
    await server.stop();
    const records = (await auditOf(workspace)).filter(({ event }) => event === 'roster-in-force');
    expect(records).toHaveLength(2);
    const [before, after] = records;
    expect(after).toMatchObject({ serial: Number(before!.serial) + 1, revoked: Number(before!.revoked) + 1, names: 6 });
    expect(after!.sha256).not.toBe(before!.sha256);
  });
});
