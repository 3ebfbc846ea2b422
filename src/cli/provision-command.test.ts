import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WorkspaceError } from '../errors';
import { exitCodeOf } from './exit';
import { provisionCommand } from './provision-command';

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'provision-command-'));
  out = join(folder, 'out');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly printed: string;
  readonly error: unknown;
  readonly code: number;
}

async function consilium(...args: readonly string[]): Promise<Outcome> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const silent = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  let error: unknown;
  try {
    // As in the command itself, options stand after the name that they belong to.
    const program = new Command('consilium').enablePositionalOptions().addCommand(provisionCommand());
    await program.parseAsync(['provision', ...args], { from: 'user' });
  } catch (reason) {
    error = reason;
  }
  const printed = write.mock.calls.map(([text]) => String(text)).join('');
  write.mockRestore();
  silent.mockRestore();
  return { printed, error, code: error === undefined ? 0 : exitCodeOf(error) };
}

const project = 'examples/federation/project.yaml';
const asJson = async (...args: readonly string[]) => JSON.parse((await consilium(...args, '--json')).printed);

describe('consilium provision', () => {
  it('makes the example, and says what to hand over and what to compare', async () => {
    const { printed, code } = await consilium(project, '--out', out);
    expect(code).toBe(0);
    expect(readdirSync(join(out, 'kits')).sort()).toEqual([
      'ada',
      'operator',
      'server',
      'site-1',
      'site-2',
      'site-3',
      'site-4',
    ]);
    expect(printed).toContain('Project brats-study, roster 1.');
    expect(printed).toMatch(/\n {8}([0-9a-f]{4} ){15}[0-9a-f]{4}\n/);
    expect(printed).toMatch(/made +site-1 +site +until 20\d\d-\d\d-\d\d {2}North Hospital {2}.*kits.site-1\n/);
    expect(printed).toContain('Hand over, each to its owner only: server, site-1');
  });

  it('prints one object with --json, each inner command too', async () => {
    const made = await asJson(project, '--out', out);
    expect(made).toMatchObject({
      project: 'brats-study',
      serial: 1,
      caFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const states = (report: { kits: { name: string; state: string }[] }) =>
      Object.fromEntries(report.kits.map(({ name, state }) => [name, state]));
    expect(states(made)['site-1']).toBe('made');
    expect(states(await asJson('add-site', 'site-5', '--org', 'North', '--out', out))).toMatchObject({
      'site-5': 'made',
      'site-1': 'kept',
    });
    expect(states(await asJson('add-admin', 'bob', '--org', 'North', '--role', 'researcher', '--out', out)).bob).toBe(
      'made',
    );
    expect(states(await asJson('revoke', 'site-5', 'bob', '--out', out))).toMatchObject({
      'site-5': 'revoked',
      bob: 'revoked',
    });
    expect(states(await asJson('renew', 'site-1', '--out', out))['site-1']).toBe('made');
    const { request } = await asJson('request', 'site-6', '--org', 'North', '--kit', join(folder, 'mine'));
    expect(states(await asJson('sign', request, '--out', out))['site-6']).toBe('made');
    const shown = await asJson('show', out);
    expect(shown).toMatchObject({ serial: 6, caFingerprint: made.caFingerprint });
    expect(states(shown)).toMatchObject({ 'site-1': 'kept', 'site-5': 'revoked' });
  });

  it('shows every fingerprint, in groups', async () => {
    const { kits } = await asJson(project, '--out', out);
    const { printed } = await consilium('show', out);
    for (const { fingerprint } of kits) expect(printed.replaceAll(' ', '')).toContain(fingerprint);
  });

  it.each([
    [['nowhere.yaml', '--out', 'OUT'], 'cannot be read: it does not exist'],
    [[project], '--out is missing'],
    [['BAD', '--out', 'OUT'], ':3:19: server.hosts.0: '],
    [['show', 'OUT'], 'There is no project in'],
    [['add-site', 'site-5', '--out', 'OUT'], "required option '--org <name>' not specified"],
    [
      ['add-admin', 'bob', '--org', 'x', '--role', 'boss', '--out', 'OUT'],
      'Allowed choices are admin, researcher, site-admin',
    ],
    [['revoke', '--out', 'OUT'], "missing required argument 'names'"],
    [['renew', 'site-1', '--out', 'OUT', '--soon'], "unknown option '--soon'"],
  ])('with wrong input changes nothing, and ends with code 2: %j', async (args, message) => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'version: 1\nproject: p\nserver: {hosts: [ "https://x" ]}\n');
    const { error, code } = await consilium(...args.map((word) => word.replace('OUT', out).replace('BAD', bad)));
    expect(String((error as Error).message)).toContain(message);
    expect(code).toBe(2);
    expect(readdirSync(folder)).toEqual(['bad.yaml']);
  });

  it.each([
    [['provision'], [project, '--out', 'FILE'], 'choose another folder with --out.'],
    [['request'], ['request', 'site-9', '--org', 'x', '--kit', 'FILE'], 'choose another folder with --kit.'],
  ])('%j into a file says which flag to change, and leaves the file as it is', async (_, args, step) => {
    const file = join(folder, 'file');
    writeFileSync(file, 'mine', { mode: 0o644 });
    const { error } = await consilium(...args.map((word) => word.replace('FILE', file)));
    expect((error as Error).message).toMatch(/a part of the path is a file, not a folder/);
    expect((error as WorkspaceError).hint).toBe(`Remove that file, or ${step}`);
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['mine', 0o644]);
  });

  it('says of a name that is taken how its owner gets a new certificate: for a key that stays, by signing again', async () => {
    await consilium(project, '--out', out);
    const { request } = await asJson('request', 'site-1', '--org', 'North Hospital', '--kit', join(folder, 'mine'));
    const hintOf = async (...args: string[]) => ((await consilium(...args)).error as WorkspaceError).hint;
    expect(await hintOf('sign', request, '--out', out)).toBe(
      'For a new certificate under this name: `consilium provision sign --again`. Else choose another name.',
    );
    expect(await hintOf('add-site', 'site-1', '--org', 'x', '--out', out)).toContain(
      '`consilium provision renew site-1`',
    );
    expect((await consilium('sign', request, '--again', '--out', out)).code).toBe(0);
  });

  it('tells every code of its inner commands in their help', async () => {
    for (const name of ['show', 'add-site', 'add-admin', 'revoke', 'renew', 'request', 'sign']) {
      const { printed, code } = await consilium(name, '--help');
      expect(code).toBe(0);
      expect(printed).toMatch(/Example:\n {2}npx consilium provision /);
      expect(printed).toContain('Exit codes: 0 done, 1 failed, 2 wrong flags');
    }
  });

  it('leaves the authority in one folder, readable by nobody else', async () => {
    await consilium(project, '--out', out);
    const key = readFileSync(join(out, 'ca', 'ca.key'), 'utf8');
    expect(key).toContain('PRIVATE KEY');
    expect(readdirSync(join(out, 'kits', 'site-1'))).not.toContain('ca.key');
  });
});
