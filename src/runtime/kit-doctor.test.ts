import { once } from 'node:events';
import { appendFile, chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../test/support/federation';
import { ConnectError } from '../errors';
import { writeMultiContrastPhantom } from '../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { writeBratsPhantom } from '../imaging/phantom/write-brats-phantom';
import { type ExamineKitOptions, examineKit } from './kit-doctor';
import { revoke } from './provision/provision';
import { openLedger } from './site-ledger';

const taken = createServer();
let federation: TestFederation;
beforeAll(async () => {
  taken.listen(0);
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const hosts: [string, ...string[]] = ['127.0.0.1', 'nowhere.invalid'];
  federation = await testFederation({ server: { hosts, port, adminPort: port === 1234 ? 1235 : 1234 } });
});
afterAll(async () => {
  taken.close();
  await rm(dirname(federation.out), { recursive: true, force: true });
});

/** Findings of one name, each as `status: message → hint`. */
async function found(name: string, about: string, options: ExamineKitOptions = {}): Promise<string[]> {
  const findings = await examineKit(federation.folder(name), options);
  return findings
    .filter((finding) => finding.name === about)
    .map(({ status, message, hint }) => `${status}: ${message} → ${hint}`);
}

const day = 24 * 3600 * 1000;

describe('what is found of a startup kit', () => {
  it('is whose it is, and the fingerprint to compare', async () => {
    expect(await found('site-1', 'kit')).toEqual([
      "ok: site 'site-1' of North Hospital, project 'demo': as it was made → undefined",
    ]);
    const [authority] = await found('ada', 'authority');
    expect(authority?.replaceAll(' ', '')).toContain(federation.caFingerprint);
  });

  it('is that its certificate will expire, a month before', async () => {
    const { notAfter } = await federation.kit('ada');
    expect(await found('ada', 'certificate', { now: () => notAfter - 31 * day })).toEqual([
      expect.stringMatching(/^ok: valid until .*, 31 days from now/),
    ]);
    const [soon] = await found('ada', 'certificate', { now: () => notAfter - 30 * day });
    expect(soon).toMatch(/^warning: .*30 days from now.*consilium provision renew ada/);
    expect(await found('ada', 'kit', { now: () => notAfter + 1000 })).toEqual([
      expect.stringMatching(/^problem: .*has expired on/),
    ]);
    expect(await found('ada', 'certificate', { now: () => notAfter + 1000 })).toEqual([]);
  });

  it('is that it was changed, that others can read its key, or that there is none', async () => {
    const key = join(federation.folder('grace'), 'key.pem');
    await chmod(key, 0o644);
    expect(await found('grace', 'kit')).toEqual([expect.stringMatching(/^problem: .*mode 0644.*chmod 600/)]);
    await chmod(key, 0o600);
    await writeFile(join(federation.folder('grace'), 'README.md'), 'changed');
    expect(await found('grace', 'kit')).toEqual([
      expect.stringMatching(/^problem: .*was changed after the kit was made/),
    ]);
    await appendFile(join(federation.folder('keeper'), 'kit.json'), 'x');
    expect(await found('keeper', 'kit')).toEqual([
      expect.stringMatching(/^problem: The startup kit is refused: .*malformed .* → Unpack the kit again/),
    ]);
    expect(await examineKit('/nowhere')).toEqual([expect.objectContaining({ name: 'kit', status: 'problem' })]);
  });

  it('is which addresses of the server are known; one is enough', async () => {
    const { port } = taken.address() as AddressInfo;
    expect(await found('site-1', 'address')).toEqual([
      `ok: 127.0.0.1, port ${port}: 127.0.0.1 → undefined`,
      expect.stringMatching(/^warning: the server's name 'nowhere.invalid' is not known here/),
    ]);
    expect((await found('ada', 'address'))[0]).toMatch(/^ok: 127.0.0.1, port 123[45]:/);
  });

  it('is whether the server answers, and whose clock is wrong', async () => {
    const reach = (skewMs: number) => ({ reach: async () => ({ serverTimeMs: Date.now() - skewMs }) });
    expect(await found('site-1', 'clock', reach(2000))).toEqual([
      expect.stringMatching(/^ok: [12]\.\d s ahead of the server's/),
    ]);
    expect(await found('site-1', 'clock', reach(-3_600_000))).toEqual([
      expect.stringMatching(/^warning: 3600\.\d s behind the server's.*NTP/),
    ]);
    expect(await found('site-1', 'server', reach(0))).toEqual(['ok: it answers, and lets this kit in → undefined']);
    const away = { reach: () => Promise.reject(new ConnectError('nobody listens there', { hint: 'Start it.' })) };
    expect(await found('site-1', 'server', away)).toEqual(['problem: nobody listens there → Start it.']);
    expect(await found('site-1', 'clock', away)).toEqual([]);
    expect(await found('site-1', 'server')).toEqual([]);
  });

  it('is the roster of a server, and whether its ports are free', async () => {
    const { port } = taken.address() as AddressInfo;
    expect(await found('server', 'roster')).toEqual(['ok: number 1: 2 sites and 3 admins → undefined']);
    expect(await found('server', 'port')).toEqual([
      `warning: ${port} is taken → Nothing is wrong if that is this server, running.`,
      expect.stringMatching(/^ok: 123[45] is free/),
      expect.stringMatching(/^(ok|warning): 9464 /),
    ]);
    const { notAfter } = await federation.kit('server');
    await revoke(federation.out, ['keeper']);
    const [soon] = await found('server', 'roster', { now: () => notAfter - 10 * day });
    expect(soon).toMatch(
      /^warning: number 2: 2 sites and 2 admins; 5 certificates will soon expire → `consilium provision renew server site-1/,
    );
    const roster = join(federation.folder('server'), 'roster.json');
    await writeFile(roster, (await readFile(roster, 'utf8')).replace('revoked', 'active'));
    expect(await found('server', 'roster')).toEqual([expect.stringMatching(/^problem: .*did not sign/)]);
    await appendFile(roster, 'x');
    expect(await found('server', 'roster')).toEqual([
      expect.stringMatching(/^problem: The roster is refused: .*malformed at character .* → Copy roster.json again/),
    ]);
  });

  it('is where a site says that its data are', async () => {
    expect(await found('site-1', 'data')).toEqual([expect.stringMatching(/^warning: site.yaml names no data/)]);
    const data = join(dirname(federation.out), 'scans');
    await mkdir(data);
    const settings = join(federation.folder('site-1'), 'site.yaml');
    await writeFile(
      settings,
      `data: {csv: {path: ../../../gone.csv}}\nvariables: {SCANS: ${data}, NAME: plain, LOST: /nowhere/x}\n`,
    );
    expect(await found('site-1', 'data')).toEqual([
      `problem: data.csv.path: ${join(dirname(federation.out), 'gone.csv')} does not exist → Correct site.yaml, or the rights of this user.`,
      `ok: variables.SCANS: ${data} → undefined`,
      expect.stringMatching(/^problem: variables.LOST: \/nowhere\/x does not exist/),
    ]);
    await writeFile(settings, 'data: [\n');
    expect(await found('site-1', 'settings')).toEqual([
      expect.stringMatching(/^problem: .*site.yaml is not a valid site's settings/),
    ]);
    await rm(settings);
    expect(await found('site-1', 'settings')).toEqual([
      expect.stringMatching(/^problem: .*site.yaml' cannot be read: it does not exist/),
    ]);
  });

  it('is whether every file that a data list names is there', async () => {
    const out = join(dirname(federation.out), 'phantom');
    const options = { out, sites: 1, casesPerSite: 2, validationCases: 1, shape: [32, 32, 32] } as const;
    const { baseDir, datalistDir } = await writeBratsPhantom(options);
    const datalist = join(datalistDir, 'site-1.json');
    const settings = join(federation.folder('site-1'), 'site.yaml');
    await writeFile(settings, JSON.stringify({ data: { brats18: { baseDir, datalist } } }));
    expect(await found('site-1', 'cases')).toEqual(['ok: 2 cases to train on, 1 to validate on → undefined']);
    const [{ image }] = JSON.parse(await readFile(datalist, 'utf8')).training;
    await rm(join(baseDir, image[0]));
    expect(await found('site-1', 'cases')).toEqual([
      expect.stringMatching(/^problem: .*is named in a data list but does not exist/),
    ]);
    await rm(settings);
  });

  it('is whether its slices have their partners, in how many contrasts', async () => {
    const out = join(dirname(federation.out), 'slices');
    await writeMultiContrastPhantom({ out, sites: 1, patientsPerSite: 3, shape: [32, 32, 8], seed: 0 });
    const path = join(out, 'site-1');
    const settings = join(federation.folder('site-1'), 'site.yaml');
    await writeFile(settings, JSON.stringify({ data: { slices: { path } } }));
    const [train] = await readdir(join(path, 'train', 't1'));
    expect(await found('site-1', 'slices')).toEqual([
      expect.stringMatching(/^ok: t1, t2, flair: [1-9] to train on, [1-9] to validate on, [1-9] to test on/),
    ]);
    await rm(join(path, 'train', 'flair', train!));
    expect(await found('site-1', 'slices')).toEqual([
      expect.stringMatching(/^problem: .*there is no slice of this name/),
    ]);
    await rm(join(path, 'train', 'flair'), { recursive: true });
    await rm(join(path, 'train', 't2'), { recursive: true });
    expect(await found('site-1', 'slices')).toEqual([
      expect.stringMatching(/^problem: .* has training slices in t1; a translation needs two contrasts/),
    ]);
    await rm(settings);
  });

  it('is which account of privacy cannot be read, with the next step, while all stay as they are', async () => {
    const workspace = join(federation.folder('site-2'), 'workspace');
    expect(await found('site-2', 'privacy')).toEqual(['ok: nothing was spent yet → undefined']);
    const cost = { mechanism: 'svt', differentiallyPrivate: true, epsilon: 1, delta: 0, unit: 'u', details: {} };
    const booked = { site: 'site-2', round: 0, task: 'train', filter: 'svt', cost };
    await (await openLedger(workspace)).book(booked);
    await mkdir(join(workspace, 'jobs', 'never-trained'), { recursive: true });
    for (const job of ['one', 'two']) {
      const { book } = await openLedger(join(workspace, 'jobs', job));
      await book(booked);
      await book({ ...booked, round: 1 });
    }
    expect(await found('site-2', 'privacy')).toEqual(['ok: 3 accounts can be read, with 5 charges in all → undefined']);
    const ledgerOf = (folder: string) => join(folder, 'privacy', 'ledger.jsonl');
    const [site, one] = [ledgerOf(workspace), ledgerOf(join(workspace, 'jobs', 'one'))];
    const changed = (await readFile(site, 'utf8')).replace('"epsilon":1', '"epsilon":0');
    await writeFile(site, changed);
    const [first] = (await readFile(one, 'utf8')).split('\n');
    await writeFile(one, `${first}\n{"cut`);
    const restore = / → Restore the ledger from a copy; until then this site does not train\./;
    const findings = await found('site-2', 'privacy');
    expect(findings).toEqual([expect.stringMatching(restore), expect.stringMatching(restore)]);
    expect(findings[0]).toContain(
      `problem: What privacy was spent is not known: the ledger '${site}' cannot be used, line 1`,
    );
    expect(findings[1]).toContain(`'${one}' cannot be used, it has 1 whole lines, and 2 were written`);
    expect(await readFile(site, 'utf8')).toBe(changed);
    expect(await readFile(one, 'utf8')).toBe(`${first}\n{"cut`);
    await rm(workspace, { recursive: true });
  });

  it('is what its policy lets in', async () => {
    const policy = join(federation.folder('site-2'), 'policy.yaml');
    expect(await found('site-2', 'policy')).toEqual(['ok: code of jobs: none; 0 filters on what leaves → undefined']);
    await writeFile(policy, 'filters: [{filter: {kind: allow-metrics, metrics: [loss]}}]\n');
    expect(await found('site-2', 'policy')).toEqual(['ok: code of jobs: none; 1 filter on what leaves → undefined']);
    await writeFile(policy, 'code: anything\n');
    expect(await found('site-2', 'policy')).toEqual([expect.stringMatching(/^problem: .*policy.yaml:1:7: code/s)]);
  });

  it.each(['server', 'site-2'])(
    'is that others may look into the workspace of a %s, which stays as it is',
    async (name) => {
      const workspace = join(federation.folder(name), 'above', 'workspace');
      const file = join(federation.folder(name), name === 'server' ? 'server.yaml' : 'site.yaml');
      const before = await readFile(file, 'utf8');
      await writeFile(file, 'workspace: above/workspace\n');
      expect(await found(name, 'workspace')).toEqual([
        expect.stringMatching(/^ok: .*above\/workspace, .* GiB free → undef/),
      ]);
      expect((await stat(workspace)).mode & 0o777).toBe(0o700);
      await chmod(workspace, 0o750);
      expect(await found(name, 'workspace')).toEqual([
        expect.stringMatching(
          /^warning: .* GiB free; it is open to others than its owner \(mode 0750\) → .*chmod 700 '.*above\/workspace'$/,
        ),
      ]);
      expect((await stat(workspace)).mode & 0o777).toBe(0o750);
      await writeFile(file, before);
    },
  );

  it('is the machine, of who runs something there', async () => {
    const names = async (name: string) => (await examineKit(federation.folder(name))).map((finding) => finding.name);
    expect(await names('site-2')).toEqual(expect.arrayContaining(['Node.js', 'memory', 'workspace', 'onnxruntime']));
    expect(await names('ada')).not.toContain('memory');
  });
});
