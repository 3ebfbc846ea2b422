import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { loadKit } from './kit';
import { showProject } from './project-report';
import { revoke } from './provision';
import { requestKit, signRequest } from './request';

let federation: TestFederation;
let mine: string;
beforeEach(async () => {
  federation = await testFederation();
  mine = join(dirname(federation.out), 'mine');
});
afterEach(() => rm(dirname(federation.out), { recursive: true, force: true }));

const site = { name: 'site-9', org: 'West', role: 'site' } as const;

/** One bit of the request is another one. */
function withOtherKey(text: string): string {
  const content = JSON.parse(text) as { readonly request: string };
  const [begin, ...lines] = content.request.trim().split('\n');
  const der = Buffer.from(lines.slice(0, -1).join(''), 'base64');
  der[der.length >> 1]! ^= 1;
  return JSON.stringify({ ...content, request: `${begin}\n${der.toString('base64')}\n${lines.at(-1)}\n` });
}

describe('a kit that is asked for', () => {
  it('has a key that has never left the machine of who asked', async () => {
    const { key, request } = await requestKit(mine, site);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(await readFile(request, 'utf8')).not.toContain((await readFile(key, 'utf8')).split('\n')[1]);
    const report = await signRequest(federation.out, request);
    const made = report.kits.find(({ name }) => name === 'site-9')!;
    expect(made).toMatchObject({ state: 'made', role: 'site', org: 'West' });
    expect(await readdir(made.folder)).not.toContain('key.pem');
    await expect(loadKit(made.folder, 'site')).rejects.toThrow('key.pem');
    await cp(made.folder, mine, { recursive: true });
    expect(await loadKit(mine, 'site')).toMatchObject({ name: 'site-9', fingerprint: made.fingerprint });
  });

  it('for a key that lies where the kit is made has that key, and never an earlier one', async () => {
    const folder = federation.folder('site-9');
    const { key, request } = await requestKit(folder, site);
    const made = await readFile(key, 'utf8');
    await signRequest(federation.out, request);
    expect((await loadKit(folder, 'site')).tls.key).toBe(made);
    const anew = await requestKit(mine, site);
    await signRequest(federation.out, anew.request, { again: true });
    expect(await readdir(folder)).not.toContain('key.pem');
    expect(await readdir(folder)).toContain('request.json');
  });

  it('is refused for a name that is taken, unless it is asked for again', async () => {
    const { request } = await requestKit(mine, { ...site, name: 'site-1', org: 'North Hospital' });
    await expect(signRequest(federation.out, request)).rejects.toThrow("The name 'site-1' is taken");
    const report = await signRequest(federation.out, request, { again: true });
    expect(report.serial).toBe(2);
    const other = join(dirname(federation.out), 'other');
    const asAdmin = await requestKit(other, { ...site, name: 'site-2', role: 'admin' });
    await expect(signRequest(federation.out, asAdmin.request, { again: true })).rejects.toThrow(
      "The role of 'site-2' is 'site'",
    );
    await revoke(federation.out, ['site-1']);
    await expect(signRequest(federation.out, request, { again: true })).rejects.toThrow("'site-1' was revoked");
  });

  it.each([
    [
      'for another name',
      (text: string) => text.replace('"name": "site-9"', '"name": "site-8"'),
      "does not prove that 'site-8' holds its key",
    ],
    ['with a changed request', withOtherKey, 'does not prove'],
    ['that is empty', () => '', 'expected a value'],
    ['with a name that is none', (text: string) => text.replace('"site-9"', '"Site 9"'), 'lower-case'],
    [
      'of a role that is none',
      (text: string) => text.replace('"role": "site"', '"role": "server"'),
      "role: found 'server'",
    ],
    ['with more than it needs', (text: string) => text.replace('{', '{"serial": 1,'), 'serial: unknown key'],
    ['that is far too long', (text: string) => `${text}${' '.repeat(40_000)}x`, 'it is too long'],
  ])('%s is refused, and changes nothing', async (_, change, message) => {
    const { request } = await requestKit(mine, site);
    await writeFile(request, change(await readFile(request, 'utf8')));
    await expect(signRequest(federation.out, request)).rejects.toThrow(message);
    expect((await showProject(federation.out)).serial).toBe(1);
  });

  it('never overwrites a key', async () => {
    await mkdir(mine);
    await writeFile(join(mine, 'key.pem'), 'precious');
    await expect(requestKit(mine, site)).rejects.toThrow('is not empty');
    expect(await readFile(join(mine, 'key.pem'), 'utf8')).toBe('precious');
  });
});
