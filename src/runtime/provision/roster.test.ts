import { generateKeyPairSync } from 'node:crypto';
import { copyFile, cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { isConsiliumError } from '../../errors';
import { addParticipant, renew, revoke } from './provision';
import { admit, type Roster, signRoster, verifyRoster } from './roster';
import { watchRoster } from './watch-roster';

let federation: TestFederation;
let ca: string;
let caKey: string;
beforeAll(async () => {
  federation = await testFederation();
  ca = await readFile(join(federation.out, 'ca', 'ca.pem'), 'utf8');
  caKey = await readFile(join(federation.out, 'ca', 'ca.key'), 'utf8');
});
afterAll(() => rm(dirname(federation.out), { recursive: true, force: true }));

const rosterFile = () => join(federation.folder('server'), 'roster.json');
const readRoster = async (): Promise<Roster> =>
  verifyRoster(await readFile(rosterFile()), { ca, project: 'demo', source: 'roster.json' });

describe('a roster', () => {
  const signed: Roster = { version: 1, project: 'demo', serial: 3, entries: [] };
  const verify = (text: string, project = 'demo') =>
    verifyRoster(Buffer.from(text), { ca, project, source: 'roster.json' });

  it('survives being written and read', () => {
    expect(verify(signRoster(signed, caKey))).toEqual(signed);
  });

  it('with a changed byte, or signed by somebody else, is refused', () => {
    const changed = signRoster(signed, caKey).replace('"serial": 3', '"serial": 4');
    expect(() => verify(changed)).toThrow("the project's authority did not sign what it says");
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => verify(signRoster(signed, other))).toThrow('did not sign');
  });

  it('of another project is refused', () => {
    expect(() => verify(signRoster(signed, caKey), 'other')).toThrow("it is of the project 'demo', not of 'other'");
  });

  it.each([
    ['nothing', '', 'expected a value'],
    ['half of it', '{"roster": {"version": 1', 'malformed'],
    ['an unknown field', '{"roster": {}, "signature": "", "more": 1}', 'more: unknown key'],
    ['a key twice', '{"roster": {}, "roster": {}, "signature": ""}', 'twice'],
    [
      'a name twice',
      JSON.stringify({ roster: { ...signed, entries: Array(2).fill(entry('a')) }, signature: '' }),
      'a name stands twice',
    ],
  ])('that is %s is a mistake of the file', (_, text, message) => {
    expect(() => verify(text)).toThrow(message);
  });

  function entry(name: string) {
    return {
      name,
      role: 'site',
      org: '',
      fingerprint: 'a'.repeat(64),
      status: 'active',
      notAfter: '2030-01-01T00:00:00Z',
    };
  }
});

describe('whoever connects', () => {
  it('is admitted under the name, the certificate and the role of the roster, and told why not otherwise', async () => {
    const roster = await readRoster();
    const kit = await federation.kit('site-1');
    const { name, role, fingerprint } = kit;
    const now = Date.now();
    const refusal = (changes: object, at = now) => {
      const admission = admit(roster, { name, role, fingerprint, ...changes }, at);
      return admission.ok ? 'ok' : `${admission.code}: ${admission.message} ${admission.hint}`;
    };
    expect(admit(roster, { name, role, fingerprint }, now)).toEqual({
      ok: true,
      entry: expect.objectContaining({ name: 'site-1', org: 'North Hospital', status: 'active' }),
    });
    expect(refusal({ name: 'site-9' })).toMatch(/^unknown-name: 'site-9' is not on the roster.*add-site/);
    expect(refusal({ fingerprint: 'b'.repeat(64) })).toMatch(
      /^other-certificate: 'site-1' comes with another.* Use the newest startup kit.*if this is the newest, copy roster\.json .*into the server's kit\.$/,
    );
    expect(refusal({ role: 'admin' })).toMatch(/^other-role: 'site-1' comes as admin, but is site/);
    expect(refusal({}, kit.notAfter + 1)).toMatch(/^expired: .*provision renew site-1/);
    expect(refusal({}, kit.notAfter)).toBe('ok');
  });

  it('is never the server itself', async () => {
    const { name, role, fingerprint } = await federation.kit('server');
    expect(admit(await readRoster(), { name, role, fingerprint }, Date.now())).toMatchObject({ code: 'other-role' });
  });

  it('is refused once revoked, and with the former certificate once renewed', async () => {
    const before = await federation.kit('site-2');
    await renew(federation.out, ['site-2']);
    const renewed = await federation.kit('site-2');
    expect(renewed.fingerprint).not.toBe(before.fingerprint);
    expect(admit(await readRoster(), before, Date.now())).toMatchObject({ ok: false, code: 'other-certificate' });
    expect(admit(await readRoster(), renewed, Date.now()).ok).toBe(true);
    await revoke(federation.out, ['site-2']);
    expect(admit(await readRoster(), renewed, Date.now())).toMatchObject({ ok: false, code: 'revoked' });
  });
});

describe('a roster that is watched', () => {
  /** A watch whose events can be awaited, one after the other. */
  async function watching() {
    const events: unknown[] = [];
    const waiting: ((event: unknown) => void)[] = [];
    const tell = (event: unknown) => {
      const next = waiting.shift();
      if (next) next(event);
      else events.push(event);
    };
    const watch = await watchRoster(rosterFile(), {
      ca,
      project: 'demo',
      changed: (roster, before) => tell({ from: before.serial, to: roster.serial }),
      refused: tell,
    });
    const next = () =>
      new Promise<unknown>((resolve) => {
        if (events.length > 0) resolve(events.shift());
        else waiting.push(resolve);
      });
    return { watch, next, events };
  }

  it('tells each change, also when another file is renamed over it', async () => {
    const { watch, next } = await watching();
    const { serial } = watch.roster;
    await addParticipant(federation.out, { name: 'site-3', role: 'site', org: 'East' });
    expect(await next()).toEqual({ from: serial, to: serial + 1 });
    expect(watch.roster.entries.some(({ name }) => name === 'site-3')).toBe(true);
    await revoke(federation.out, ['site-3']);
    expect(await next()).toEqual({ from: serial + 1, to: serial + 2 });
    watch.close();
  });

  it('is followed into a folder that is put in place of its own, at once or later', async () => {
    const kit = federation.folder('server');
    const { watch, next } = await watching();
    const { serial } = watch.roster;
    /** What was refused because the folder, or the file, was away for a moment is told, and passed over here. */
    const nextChange = async () => {
      let event = await next();
      while (isConsiliumError(event)) event = await next();
      return event;
    };
    await cp(kit, `${kit}.copy`, { recursive: true });
    await writeFile(join(`${kit}.copy`, 'roster.json'), signRoster({ ...watch.roster, serial: serial + 1 }, caKey));
    await rename(kit, `${kit}.old`);
    await rename(`${kit}.copy`, kit);
    expect(await nextChange()).toEqual({ from: serial, to: serial + 1 });
    await rename(kit, `${kit}.away`);
    expect(String(await next())).toContain('it does not exist');
    expect(watch.roster.serial).toBe(serial + 1);
    await writeFile(join(`${kit}.away`, 'roster.json'), signRoster({ ...watch.roster, serial: serial + 2 }, caKey));
    await rename(`${kit}.away`, kit);
    expect(await nextChange()).toEqual({ from: serial + 1, to: serial + 2 });
    watch.close();
    await rm(kit, { recursive: true });
    await rename(`${kit}.old`, kit);
  });

  it('keeps the last good one when the new one is damaged, older, of the same serial, badly signed or gone', async () => {
    const good = `${rosterFile()}.good`;
    await copyFile(rosterFile(), good);
    const { watch, next } = await watching();
    const { roster } = watch;
    const put = async (text: string) => {
      await writeFile(`${rosterFile()}.new`, text);
      await rename(`${rosterFile()}.new`, rosterFile());
    };
    const refused = async (tag: 'ConfigError' | 'RefusedError', message: string) => {
      const error = await next();
      expect(isConsiliumError(error, tag), String(error)).toBe(true);
      expect(String(error)).toContain(message);
      expect(watch.roster).toBe(roster);
    };
    await put('{"roster": {');
    await refused('RefusedError', 'The roster is refused: ');
    await put(signRoster({ ...roster, serial: roster.serial - 1 }, caKey));
    await refused('RefusedError', `its serial is ${roster.serial - 1}, but ${roster.serial} is in force`);
    await put(signRoster({ ...roster, entries: roster.entries.slice(1) }, caKey));
    await refused('RefusedError', `another one than that in force, with the same serial, ${roster.serial}`);
    await put((await readFile(good, 'utf8')).replace('"active"', '"revoked"'));
    await refused('RefusedError', 'did not sign');
    await rm(rosterFile());
    await refused('ConfigError', 'it does not exist');
    await put(signRoster({ ...roster, serial: roster.serial + 1 }, caKey));
    expect(await next()).toEqual({ from: roster.serial, to: roster.serial + 1 });
    watch.close();
    await rename(good, rosterFile());
  });

  it('is not watched when the first one is no good', async () => {
    const file = join(federation.out, 'roster.json');
    const options = { ca, project: 'demo', changed: () => {}, refused: () => {} };
    await expect(watchRoster(file, options)).rejects.toThrow('it does not exist');
  });
});
