/**
 * Makes startup kits, and keeps the roster that says which of them are good. What one command changes, and nothing else, is
 * the kits that it names and the roster.
 *
 * @module
 */

import type { webcrypto } from 'node:crypto';
import { ConfigError } from '../../errors';
import { certify, issue, type Subject } from './authority';
import { certificateFacts, parseCertificate } from './certificate';
import { kindOf } from './kit-files';
import { checkParticipant, type Participant, type Project } from './project';
import {
  createProject,
  isProject,
  kitFolder,
  openProject,
  type ProjectFolder,
  saveRoster,
  settingsOf,
  withProjectLock,
} from './project-folder';
import { isoTime, type ProjectReport, reportOn } from './project-report';
import type { Roster, RosterEntry } from './roster';
import { writeKit } from './write-kit';

export interface ProvisionOptions {
  /** Milliseconds since 1970. @default the clock of this machine */
  readonly now?: number;
}

/**
 * Makes the authority of a project and a kit for everybody in it. Called again it makes what is missing on the roster, and
 * leaves the authority and the other kits as they are.
 *
 * @throws ConfigError for a project that contradicts what was made before.
 */
export function provision(
  project: Project,
  out: string,
  { now = Date.now() }: ProvisionOptions = {},
): Promise<ProjectReport> {
  return withProjectLock(out, async () => {
    const folder = isProject(out) ? await openProject(out) : await createProject(out, project, now);
    checkSame(project, folder);
    const wanted = subjectsOf(project);
    const fresh = wanted.filter((subject) => !knownAs(folder.roster, subject));
    const entries: RosterEntry[] = [];
    for (const subject of fresh) entries.push(await makeKit(folder, subject, now));
    const roster = entries.length === 0 ? folder.roster : grown(folder.roster, [...folder.roster.entries, ...entries]);
    if (entries.length > 0) await saveRoster(folder, roster);
    return reportOn({ ...folder, roster }, new Set(fresh.map(({ name }) => name)));
  });
}

/** Adds a site or a person: their kit and a line on the roster. A revoked name may come back. @throws ConfigError for a name that is taken. */
export async function addParticipant(
  out: string,
  subject: Participant,
  { now = Date.now() }: ProvisionOptions = {},
): Promise<ProjectReport> {
  checkParticipant(subject);
  return withProjectLock(out, async () => {
    const folder = await openProject(out);
    refuseTaken(folder.roster, subject.name, `consilium provision renew ${subject.name}`);
    return enter(folder, [await makeKit(folder, subject, now)]);
  });
}

/** Takes participants off: as soon as the server sees the new roster, they are disconnected. @throws ConfigError */
export function revoke(out: string, names: readonly string[]): Promise<ProjectReport> {
  return withProjectLock(out, async () => {
    const folder = await openProject(out);
    const entries = names.map((name): RosterEntry => {
      const entry = entryOf(folder.roster, name);
      if (entry.role !== 'server') return { ...entry, status: 'revoked' };
      throw new ConfigError(`'${name}' is the server: those who connect to it do not ask the roster.`, {
        hint: 'When its key was lost to somebody else, make a new project in a new folder.',
      });
    });
    return enter(folder, entries);
  });
}

/** New keys and certificates under the same names; the ones before are no longer let in. @throws ConfigError */
export function renew(
  out: string,
  names: readonly string[],
  { now = Date.now() }: ProvisionOptions = {},
): Promise<ProjectReport> {
  return withProjectLock(out, async () => {
    const folder = await openProject(out);
    const subjects = names.map((name) => activeEntry(folder.roster, name));
    const entries: RosterEntry[] = [];
    for (const subject of subjects) entries.push(await makeKit(folder, subject, now));
    return enter(folder, entries);
  });
}

export interface SignOptions extends ProvisionOptions {
  /** Whether the name may be on the roster already, to get a new certificate. @default false */
  readonly again?: boolean;
}

/** A kit without a key, for a key that was made where the kit will be used. @throws ConfigError */
export async function makeKitFor(
  out: string,
  subject: Participant,
  publicKey: webcrypto.CryptoKey,
  { now = Date.now(), again = false }: SignOptions = {},
): Promise<ProjectReport> {
  checkParticipant(subject);
  return withProjectLock(out, async () => {
    const folder = await openProject(out);
    if (again) checkUnchanged(activeEntry(folder.roster, subject.name), subject);
    else refuseTaken(folder.roster, subject.name, 'consilium provision sign --again');
    return enter(folder, [await makeKit(folder, subject, now, publicKey)]);
  });
}

async function makeKit(
  folder: ProjectFolder,
  { name, role, org }: Omit<Subject, 'hosts'>,
  now: number,
  publicKey?: webcrypto.CryptoKey,
): Promise<RosterEntry> {
  const { settings, authority, root } = folder;
  const { project, server, validityDays } = settings;
  const subject = { name, role, org, ...(role === 'server' && { hosts: server.hosts }) };
  const validity = { days: validityDays, now };
  const credentials = publicKey
    ? { cert: await certify(authority, subject, publicKey, validity) }
    : await issue(authority, subject, validity);
  const info = { version: 1, kind: kindOf(role), name, role, org, project, server } as const;
  await writeKit(kitFolder(root, name), { info, ...credentials, authority });
  const facts = certificateFacts(parseCertificate(credentials.cert, 'the new certificate'), 'The new certificate');
  return { name, role, org, fingerprint: facts.fingerprint, status: 'active', notAfter: isoTime(facts.notAfter) };
}

/** Puts entries on the roster, each in place of the one of its name. */
async function enter(folder: ProjectFolder, changed: readonly RosterEntry[]): Promise<ProjectReport> {
  const byName = new Map(folder.roster.entries.map((entry) => [entry.name, entry]));
  for (const entry of changed) byName.set(entry.name, entry);
  const roster = grown(folder.roster, [...byName.values()]);
  await saveRoster(folder, roster);
  const made = changed.filter(({ status }) => status === 'active').map(({ name }) => name);
  return reportOn({ ...folder, roster }, new Set(made));
}

function grown(roster: Roster, entries: readonly RosterEntry[]): Roster {
  return { ...roster, serial: roster.serial + 1, entries: [...entries] };
}

/** The server's address is in every kit, signed. */
function checkSame(project: Project, { root, settings }: ProjectFolder): void {
  const { project: name, server } = settingsOf(project);
  const changed = (['name', 'hosts', 'port', 'adminPort'] as const).find(
    (field) => JSON.stringify(server[field]) !== JSON.stringify(settings.server[field]),
  );
  const was =
    name !== settings.project
      ? `the project '${settings.project}', not '${name}'`
      : changed === undefined
        ? undefined
        : `kits whose server has ${changed} ${JSON.stringify(settings.server[changed])}, not ${JSON.stringify(server[changed])}`;
  if (was === undefined) return;
  throw new ConfigError(`'${root}' holds ${was}.`, {
    hint: 'Every kit carries this, signed. State what was there before, or name a new folder with --out and hand out new kits.',
  });
}

/** Whether the roster has somebody already. @throws ConfigError when it has them in another role or organisation. */
function knownAs({ entries }: Roster, subject: Subject): boolean {
  const entry = entries.find(({ name }) => name === subject.name);
  if (!entry) return false;
  if (entry.status === 'active') checkUnchanged(entry, subject);
  return true;
}

function checkUnchanged(entry: RosterEntry, subject: Subject): void {
  const field = (['role', 'org'] as const).find((one) => entry[one] !== subject[one]);
  if (field === undefined) return;
  const { name } = entry;
  throw new ConfigError(`The ${field} of '${name}' is '${entry[field]}' on the roster, not '${subject[field]}'.`, {
    hint: `It is part of the certificate. Revoke '${name}', and add it anew: \`consilium provision revoke ${name}\`.`,
  });
}

function subjectsOf({ project, server, sites, admins }: Project): readonly Subject[] {
  return [
    { name: server.name, role: 'server', org: server.org ?? project },
    ...sites.map((site): Subject => ({ ...site, role: 'site' })),
    ...admins,
  ];
}

function activeEntry(roster: Roster, name: string): RosterEntry {
  const entry = entryOf(roster, name);
  if (entry.status === 'active') return entry;
  throw new ConfigError(`'${name}' was revoked.`, { hint: 'To let it in again, add it: its kit is then a new one.' });
}

function entryOf({ entries }: Roster, name: string): RosterEntry {
  const entry = entries.find((one) => one.name === name);
  if (entry) return entry;
  const known = entries.slice(0, 20).map((one) => one.name);
  throw new ConfigError(`Nobody on the roster has the name '${name}'.`, { hint: `There are ${known.join(', ')}.` });
}

/** @param anew what gives a new certificate under the same name. A renewed kit has a key that travels, a signed one has none. */
function refuseTaken({ entries }: Roster, name: string, anew: string): void {
  const entry = entries.find((one) => one.name === name);
  if (!entry || (entry.status === 'revoked' && entry.role !== 'server')) return;
  throw new ConfigError(`The name '${name}' is taken, by a ${entry.role} of ${entry.org}.`, {
    hint: `For a new certificate under this name: \`${anew}\`. Else choose another name.`,
  });
}
