import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parsePolicy } from '../client/policy';
import { parseSiteSettings } from '../client/site-settings';
import { parseServerSettings } from '../server/server-settings';
import type { KitInfo } from './kit-files';
import { firstTexts, readme, startScript } from './kit-text';

const info = (kind: KitInfo['kind']): KitInfo => ({
  version: 1,
  kind,
  name: 'one',
  role: kind === 'admin' ? 'researcher' : kind,
  org: 'A',
  project: 'demo',
  server: { name: 'server', hosts: ['fl.example.org'], port: 8443, adminPort: 8444 },
});

describe.runIf(process.platform !== 'win32')('start.sh', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'start it '));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(join(folder, 'calls'), { force: true }));

  /** Starts the kit, from another folder, with a command that notes how it was called and ends as told. */
  function start(kind: KitInfo['kind'], body: string, ...args: readonly string[]) {
    writeFileSync(join(folder, 'start.sh'), startScript(info(kind)), { mode: 0o700 });
    const command = `#!/bin/sh\necho "$@" >> '${join(folder, 'calls')}'\n${body}\n`;
    writeFileSync(join(folder, 'command-of-test'), command, { mode: 0o700 });
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, CONSILIUM: 'command-of-test' };
    return spawn(join(folder, 'start.sh'), args, { cwd: tmpdir(), env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');

  it('runs the command with the kit and what it was given, and starts it again when it crashes', async () => {
    const crashesOnce = `[ $(wc -l < '${join(folder, 'calls')}') -gt 1 ] || exit 7`;
    const child = start('site', crashesOnce, '--workspace', '/data');
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(calls()).toEqual(Array(2).fill(`client --kit ${folder} --workspace /data`));
    expect(said).toBe('consilium client has ended with code 7 and is started again in 1 s\n');
  });

  it.each([0, 2, 130])('does not start it again when it ends with code %i', async (code) => {
    const [ended] = await once(start('server', `exit ${code}`), 'close');
    expect(ended).toBe(code);
    expect(calls()).toEqual([`server --kit ${folder}`]);
  });

  it('hands a signal on and ends as the command does, without another start', async () => {
    const child = start('server', "trap 'exit 130' TERM; echo ready; while :; do sleep 0.1; done");
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(130);
    expect(calls()).toHaveLength(1);
  });

  it.each([
    ['installed in a folder above', ['node_modules', '.bin'], 'consilium'],
    ['in a clone', ['bin'], 'consilium.js'],
  ])('finds the command %s where it is not on the PATH, and signals reach it', async (_, below, file) => {
    const project = mkdtempSync(join(tmpdir(), 'a project '));
    const place = join(project, 'deep', 'within');
    mkdirSync(place, { recursive: true });
    mkdirSync(join(project, ...below), { recursive: true });
    const body = `#!/bin/sh\ntrap 'exit 130' TERM; echo ready; while :; do sleep 0.1; done\n`;
    writeFileSync(join(project, ...below, file), body, { mode: 0o700 });
    const env = { PATH: '/usr/bin:/bin' };
    writeFileSync(join(folder, 'start.sh'), startScript(info('site')), { mode: 0o700 });
    const child = spawn(join(folder, 'start.sh'), { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([130, null]);
    rmSync(project, { recursive: true });
  });

  it('says so when there is no command', async () => {
    writeFileSync(join(folder, 'start.sh'), startScript(info('server')), { mode: 0o700 });
    const child = spawn(join(folder, 'start.sh'), {
      cwd: folder,
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = once(child.stderr, 'data');
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(String(await said)).toMatch(/^consilium is neither on the PATH nor installed in /);
  });

  it('of a person runs one command', async () => {
    await once(start('admin', 'exit 0', 'submit', 'job.yaml'), 'close');
    expect(calls()).toEqual([`submit job.yaml --kit ${folder}`]);
  });
});

describe('the texts of a kit', () => {
  it.each(['server', 'site', 'admin'] as const)('tell the %s what to do in three steps', (kind) => {
    const text = readme(info(kind), 'abcd 0123');
    expect(text.match(/^\d\. .+$/gm)).toHaveLength(3);
    expect(text).toContain('abcd 0123');
    expect(text).not.toMatch(/ $/m);
  });

  const parsers: Readonly<Record<string, (bytes: Uint8Array) => object>> = {
    'server.yaml': (bytes) => parseServerSettings(bytes, 'server.yaml'),
    'site.yaml': (bytes) => parseSiteSettings(bytes, '/kit/site.yaml'),
    'policy.yaml': (bytes) => parsePolicy(bytes, '/kit/policy.yaml').policy,
  };

  it.each(Object.entries(firstTexts))('%s says nothing at first, and each of its lines can be set', (name, text) => {
    const parse = parsers[name]!;
    const defaults = parse(new Uint8Array());
    expect(parse(Buffer.from(text))).toEqual(defaults);
    const isProse = (line: string) => !/^# ( |- )*[a-zA-Z0-9]+: /.test(`${line} `) && !/^# {3}/.test(line);
    const lines = text.split('\n').filter((line) => !isProse(line));
    expect(lines.length).toBeGreaterThan(2);
    expect(() => parse(Buffer.from(lines.map((line) => line.replace(/^# /, '')).join('\n')))).not.toThrow();
  });
});
