import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smallProject, type TestFederation, testFederation } from '../../../test/support/federation';
import { sha256Of } from '../../util/sha256';
import { loadKit } from './kit';
import { signManifest } from './kit-files';
import { type Project, projectSpec } from './project';
import { createProject } from './project-folder';
import { showProject } from './project-report';
import { addParticipant, provision, renew, revoke } from './provision';

let federation: TestFederation;
beforeEach(async () => {
  federation = await testFederation();
});
afterEach(() => rm(dirname(federation.out), { recursive: true, force: true }));

const project = (changes: object = {}): Project => projectSpec.parse({ ...smallProject, ...changes });

/** All files of a folder with their content. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(path, await readFile(path, 'hex'));
  }
  return files;
}

const states = (report: { readonly kits: readonly { readonly name: string; readonly state: string }[] }) =>
  Object.fromEntries(report.kits.map(({ name, state }) => [name, state]));

describe('what provisioning makes', () => {
  it('are certificates that OpenSSL reads as they were meant', async () => {
    const ca = new X509Certificate(await readFile(join(federation.out, 'ca', 'ca.pem')));
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    const years = (Date.parse(ca.validTo) - Date.now()) / (365.25 * 24 * 3600 * 1000);
    expect(years).toBeGreaterThan(9.9);
    expect(years).toBeLessThanOrEqual(10);
    const of = async (name: string) => new X509Certificate(await readFile(join(federation.folder(name), 'cert.pem')));
    const server = await of('server');
    expect(server.subject).toBe('CN=server\nOU=server\nO=demo');
    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const ada = await of('ada');
    expect(ada.subject).toBe('CN=ada\nOU=researcher\nO=North Hospital');
    expect(ada.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    for (const one of [server, ada]) {
      expect(one.ca).toBe(false);
      expect(one.checkIssued(ca) && one.verify(ca.publicKey)).toBe(true);
      expect(one.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
      expect(Date.parse(one.validTo) - Date.now()).toBeLessThanOrEqual(398 * 24 * 3600 * 1000);
      expect(Date.parse(one.validFrom)).toBeLessThan(Date.now());
    }
  });

  it('no other user can read, whatever the umask grants, and the key of the authority is in no kit', async () => {
    const before = process.umask(0);
    const open = await testFederation();
    process.umask(before);
    const caKey = await readFile(join(open.out, 'ca', 'ca.key'), 'utf8');
    for (const entry of await readdir(open.out, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.name === 'ca.lock') continue;
      expect((await stat(path)).mode & 0o077, path).toBe(0);
      if (entry.isFile() && path !== join(open.out, 'ca', 'ca.key'))
        expect(await readFile(path, 'utf8'), path).not.toContain(caKey.split('\n')[1]);
    }
    await rm(dirname(open.out), { recursive: true });
  });

  it('are kits with what their users need', async () => {
    const files = async (name: string) => (await readdir(federation.folder(name))).sort();
    const all = ['README.md', 'ca.pem', 'cert.pem', 'key.pem', 'kit.json', 'manifest.json', 'start.sh'];
    expect(await files('server')).toEqual([...all, 'roster.json', 'server.yaml'].sort());
    expect(await files('site-1')).toEqual([...all, 'policy.yaml', 'site.yaml'].sort());
    expect(await files('ada')).toEqual(all.sort());
    const readme = await readFile(join(federation.folder('site-1'), 'README.md'), 'utf8');
    expect(readme.match(/^\d\. /gm)).toEqual(['1. ', '2. ', '3. ']);
    expect(readme.replaceAll(' ', '')).toContain(federation.caFingerprint);
  });

  it('takes less than a second for an authority and five kits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'provision-'));
    const start = process.cpuUsage();
    await provision(project({ admins: smallProject.admins?.slice(0, 2) }), join(folder, 'out'));
    const { user, system } = process.cpuUsage(start);
    await rm(folder, { recursive: true });
    expect((user + system) / 1e6).toBeLessThan(1);
  });
});

describe('provisioning again', () => {
  it('the same project changes nothing', async () => {
    const before = await contentOf(federation.out);
    const report = await provision(project(), federation.out);
    expect(new Set(Object.values(states(report)))).toEqual(new Set(['kept']));
    expect(await contentOf(federation.out)).toEqual(before);
  });

  it('makes what is missing and leaves the rest as it is', async () => {
    const before = await contentOf(join(federation.out, 'kits'));
    const more = [...(smallProject.sites ?? []), { name: 'site-3', org: 'East' }];
    const report = await provision(project({ sites: more }), federation.out);
    expect(states(report)).toMatchObject({ 'site-1': 'kept', 'site-3': 'made' });
    expect(report.serial).toBe(2);
    const after = await contentOf(join(federation.out, 'kits'));
    for (const [path, content] of before)
      if (!path.endsWith('roster.json')) expect(after.get(path), path).toBe(content);
    expect((await federation.kit('site-3', 'site')).fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('does not lock out a site whose kit was handed over', async () => {
    await rm(federation.folder('site-1'), { recursive: true });
    const report = await provision(project(), federation.out);
    expect(states(report)['site-1']).toBe('away');
    expect(report.serial).toBe(1);
  });

  it.each([
    [
      'another address of the server',
      { server: { hosts: ['other'], port: 8443 } },
      'whose server has hosts ["localhost","127.0.0.1"], not ["other"]',
    ],
    ['another port', { server: { hosts: ['localhost', '127.0.0.1'], port: 1 } }, 'whose server has port 8443, not 1'],
    ['another name', { project: 'other' }, "the project 'demo', not 'other'"],
    [
      'another role of somebody',
      { admins: [{ name: 'ada', org: 'North Hospital', role: 'admin' }] },
      "The role of 'ada' is 'researcher' on the roster, not 'admin'.",
    ],
    [
      'another organisation of a site',
      { sites: [{ name: 'site-1', org: 'West' }] },
      "The org of 'site-1' is 'North Hospital'",
    ],
  ])('with %s is refused, and changes nothing', async (_, changes, message) => {
    const before = await contentOf(federation.out);
    await expect(provision(project(changes), federation.out)).rejects.toThrow(message);
    expect(await contentOf(federation.out)).toEqual(before);
  });

  it('a participant that was revoked stays so', async () => {
    await revoke(federation.out, ['site-1']);
    expect(states(await provision(project(), federation.out))['site-1']).toBe('revoked');
  });

  it('repairs what a killed command has left', async () => {
    const kits = join(federation.out, 'kits');
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    await mkdir(join(kits, `.ada.${uuid}.tmp`));
    await mkdir(join(federation.out, 'ca.new'));
    const rosterCopy = join(kits, 'server', 'roster.json');
    await rm(rosterCopy);
    await writeFile(join(federation.out, 'ca.lock'), '999999999');
    expect(states(await provision(project(), federation.out)).ada).toBe('kept');
    expect((await readdir(kits)).sort()).toEqual(['ada', 'grace', 'keeper', 'server', 'site-1', 'site-2']);
    expect(await readFile(rosterCopy)).toEqual(await readFile(join(federation.out, 'ca', 'roster.json')));
  });

  it('after a command that was killed before anybody was on the roster gives the first one the number 1 as well', async () => {
    const out = join(dirname(federation.out), 'again');
    await createProject(out, project(), Date.now());
    expect(await showProject(out)).toMatchObject({ serial: 0, kits: [] });
    const report = await provision(project(), out);
    expect(report.serial).toBe(1);
    expect(states(report)).toEqual(states(await provision(project(), join(dirname(federation.out), 'new'))));
  });

  it('while another command works there waits for nobody and says so', async () => {
    await writeFile(join(federation.out, 'ca.lock'), String(process.pid));
    await expect(provision(project(), federation.out)).rejects.toThrow(`is in use by process ${process.pid}`);
  });
});

describe('a change of one participant', () => {
  /** Files that a change has written, removed or made. */
  async function touched(change: () => Promise<unknown>): Promise<string[]> {
    const before = await contentOf(federation.out);
    await change();
    const after = await contentOf(federation.out);
    const paths = new Set([...before.keys(), ...after.keys()]);
    return [...paths]
      .filter((path) => before.get(path) !== after.get(path))
      .map((path) => path.slice(federation.out.length + 1))
      .sort();
  }
  const rosters = ['ca/roster.json', 'kits/server/roster.json'];

  it('that adds one touches its kit and the roster', async () => {
    const paths = await touched(() => addParticipant(federation.out, { name: 'site-3', org: 'East', role: 'site' }));
    const kit = [
      'README.md',
      'ca.pem',
      'cert.pem',
      'key.pem',
      'kit.json',
      'manifest.json',
      'policy.yaml',
      'site.yaml',
      'start.sh',
    ];
    expect(paths).toEqual([...rosters, ...kit.map((name) => `kits/site-3/${name}`)].sort());
    await expect(loadKit(federation.folder('site-3'), 'site')).resolves.toMatchObject({ role: 'site', org: 'East' });
  });

  it('that revokes one touches the roster', async () => {
    expect(await touched(() => revoke(federation.out, ['site-1', 'ada']))).toEqual(rosters);
    const report = await showProject(federation.out);
    expect(states(report)).toMatchObject({ 'site-1': 'revoked', ada: 'revoked', 'site-2': 'kept' });
    expect(report.serial).toBe(2);
  });

  it('that renews one makes a new key, and keeps what the user has set', async () => {
    const settings = join(federation.folder('site-1'), 'policy.yaml');
    await writeFile(settings, '# mine\n');
    const paths = await touched(() => renew(federation.out, ['site-1']));
    expect(paths).toEqual(
      [...rosters, ...['cert.pem', 'key.pem', 'manifest.json'].map((name) => `kits/site-1/${name}`)].sort(),
    );
    expect(await readFile(settings, 'utf8')).toBe('# mine\n');
    await expect(federation.kit('site-1')).resolves.toBeTruthy();
    await renew(federation.out, ['server']);
    expect((await federation.kit('server')).server.hosts).toEqual(['localhost', '127.0.0.1']);
  });

  it.each([
    ['renews one', (name: string) => renew(federation.out, [name])],
    [
      'revokes one and adds it anew',
      async (name: string) => {
        await revoke(federation.out, [name]);
        await addParticipant(federation.out, { name, org: 'East', role: 'site' });
      },
    ],
  ])('that %s keeps its workspace with jobs, audit log and privacy ledger, and files of its own', async (_, change) => {
    const kit = federation.folder('site-1');
    const kept = ['workspace/audit.jsonl', 'workspace/privacy/ledger.jsonl', 'workspace-2/a', 'notes.txt', 'site.yaml'];
    for (const name of kept) {
      await mkdir(dirname(join(kit, name)), { recursive: true });
      await writeFile(join(kit, name), `mine: ${name}`);
    }
    const { fingerprint } = await federation.kit('site-1');
    await chmod(kit, 0o755);
    await change('site-1');
    for (const name of kept) expect(await readFile(join(kit, name), 'utf8'), name).toBe(`mine: ${name}`);
    expect((await federation.kit('site-1', 'site')).fingerprint).not.toBe(fingerprint);
    for (const path of [kit, join(kit, 'key.pem')]) expect((await stat(path)).mode & 0o077, path).toBe(0);
    expect((await readdir(dirname(kit))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('that renews the server keeps its jobs and its settings', async () => {
    const kit = federation.folder('server');
    await mkdir(join(kit, 'workspace'));
    await writeFile(join(kit, 'workspace', 'job'), 'mine');
    await writeFile(join(kit, 'server.yaml'), 'maxJobs: 2\n');
    await renew(federation.out, ['server']);
    expect(await readFile(join(kit, 'workspace', 'job'), 'utf8')).toBe('mine');
    expect(await readFile(join(kit, 'server.yaml'), 'utf8')).toBe('maxJobs: 2\n');
    expect(await readFile(join(kit, 'roster.json'))).toEqual(await readFile(join(federation.out, 'ca', 'roster.json')));
  });

  it('that is cut off half-way leaves a kit that is refused, whichever of its files are new', async () => {
    const kit = federation.folder('site-1');
    const names = ['cert.pem', 'key.pem', 'manifest.json', 'start.sh'];
    const contents = async () => Promise.all(names.map((name) => readFile(join(kit, name), 'utf8')));
    await signedAnew(kit, 'start.sh', '#!/bin/sh\n# Of an earlier release.\n');
    await federation.kit('site-1');
    const before = await contents();
    await renew(federation.out, ['site-1']);
    const after = await contents();
    for (let mixture = 0; mixture < 1 << names.length; mixture++) {
      const isNew = names.map((_, i) => ((mixture >> i) & 1) === 1);
      for (const [i, name] of names.entries()) {
        expect(after[i]).not.toBe(before[i]);
        await writeFile(join(kit, name), (isNew[i] ? after : before)[i]!);
      }
      const loaded = federation.kit('site-1');
      if (new Set(isNew).size === 1) await expect(loaded).resolves.toBeTruthy();
      else await expect(loaded, String(isNew)).rejects.toThrow(/was changed after the kit was made|does not belong to/);
    }
    await writeFile(join(kit, 'cert.pem'), before[0]!);
    await renew(federation.out, ['site-1']);
    await expect(federation.kit('site-1')).resolves.toBeTruthy();
  });

  /** A kit with another text in a file that is signed. */
  async function signedAnew(kit: string, name: string, text: string): Promise<void> {
    const manifest = join(kit, 'manifest.json');
    const { signature: _, ...content } = JSON.parse(await readFile(manifest, 'utf8'));
    const files = { ...content.files, [name]: sha256Of(Buffer.from(text)) };
    const caKey = await readFile(join(federation.out, 'ca', 'ca.key'), 'utf8');
    await writeFile(join(kit, name), text);
    await writeFile(manifest, JSON.stringify(signManifest({ ...content, files }, caKey)));
  }

  it('lets a revoked name come back in another role, as a new identity', async () => {
    await revoke(federation.out, ['ada']);
    await expect(renew(federation.out, ['ada'])).rejects.toThrow("'ada' was revoked.");
    await addParticipant(federation.out, { name: 'ada', org: 'Operator', role: 'admin' });
    expect(await federation.kit('ada')).toMatchObject({ role: 'admin', org: 'Operator' });
  });

  it('that makes no sense is refused, and changes nothing', async () => {
    const add = (name: string) => addParticipant(federation.out, { name, org: 'East', role: 'site' });
    const paths = await touched(async () => {
      await expect(add('site-1')).rejects.toThrow("The name 'site-1' is taken, by a site of North Hospital.");
      await expect(add('server')).rejects.toThrow("The name 'server' is taken, by a server");
      await expect(add('Site 9')).rejects.toThrow('lower-case');
      await expect(revoke(federation.out, ['site-1', 'nobody'])).rejects.toThrow(
        "Nobody on the roster has the name 'nobody'.",
      );
      await expect(revoke(federation.out, ['server'])).rejects.toThrow("'server' is the server");
      await expect(renew(federation.out, ['nobody'])).rejects.toThrow('Nobody');
      await expect(showProject(dirname(federation.out))).rejects.toThrow('There is no project in');
    });
    expect(paths).toEqual([]);
  });

  it('says when a kit here is not the one on the roster', async () => {
    await renew(federation.out, ['site-1']);
    await writeFile(
      join(federation.folder('site-1'), 'cert.pem'),
      await readFile(join(federation.folder('ada'), 'cert.pem')),
    );
    await writeFile(join(federation.folder('ada'), 'cert.pem'), 'junk');
    expect(states(await showProject(federation.out))).toMatchObject({ 'site-1': 'outdated', ada: 'outdated' });
  });

  it('reaches the master copy when the kit of the server was moved to the server', async () => {
    await rm(federation.folder('server'), { recursive: true });
    const report = await addParticipant(federation.out, { name: 'site-3', org: 'East', role: 'site' });
    expect(report.roster).toBe(join(federation.out, 'ca', 'roster.json'));
    expect(states(report).server).toBe('away');
    expect(await readdir(join(federation.out, 'kits'))).not.toContain('server');
  });
});
