/**
 * Where an operator keeps a project: `ca/` with the authority, which never leaves it, and `kits/` with one folder for each
 * participant, to be handed over.
 *
 * @module
 */
import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../errors';
import { flushFolder, workspaceError, writeFileAtomic } from '../../util/atomic-file';
import { readBounded } from '../../util/read-bounded';
import { lockFolder } from '../run-folder';
import { type Credentials, createAuthority } from './authority';
import { parseCertificate } from './certificate';
import { parseJsonFile } from './json-file';
import { kitInfo, maxKitFileBytes } from './kit-files';
import type { Project } from './project';
import { maxRosterBytes, type Roster, signRoster, verifyRoster } from './roster';
import { makePrivateFolder } from './write-kit';

/** `ca/project.json`: what every kit of the project has in common. */
const projectSettings = z.strictObject({
  version: z.literal(1),
  project: z.string(),
  server: kitInfo.shape.server,
  validityDays: z.int().positive(),
});
export type ProjectSettings = z.output<typeof projectSettings>;

export interface ProjectFolder {
  readonly root: string;
  readonly settings: ProjectSettings;
  readonly authority: Credentials;
  readonly roster: Roster;
}

/** Works on a project's folder while no other process does. */
export async function withProjectLock<T>(out: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(out)) await makePrivateFolder(resolve(out));
  const release = await lockFolder({ root: caFolder(resolve(out)) }, 'Wait until the other command has ended.');
  try {
    return await work();
  } finally {
    await release();
  }
}

/** The project in a folder; what an interrupted command has left there is put in order. @throws ConfigError when there is none. */
export async function openProject(out: string): Promise<ProjectFolder> {
  const root = resolve(out);
  await putInOrder(kitsFolder(root));
  const folder = await readProjectFolder(root);
  await publishRoster(folder);
  return folder;
}

/** The same without a change to anything. */
export async function readProjectFolder(out: string): Promise<ProjectFolder> {
  const root = resolve(out);
  if (!isProject(root)) {
    throw new ConfigError(`There is no project in '${root}': it has no ca/ca.key.`, {
      hint: 'Name the folder that `consilium provision project.yaml --out DIR` has written, with --out.',
    });
  }
  const read = (name: string, most = maxKitFileBytes) =>
    readBounded(join(caFolder(root), name), most, "project's file");
  const settingsFile = join(caFolder(root), 'project.json');
  const settings = parseJsonFile(await read('project.json'), projectSettings, settingsFile);
  const authority = { cert: text(await read('ca.pem')), key: text(await read('ca.key')) };
  await checkAuthority(root, authority);
  const source = join(caFolder(root), 'roster.json');
  const bytes = await read('roster.json', maxRosterBytes);
  const roster = verifyRoster(bytes, { ca: authority.cert, project: settings.project, source });
  return { root, settings, authority, roster };
}

export function isProject(out: string): boolean {
  return existsSync(join(caFolder(resolve(out)), 'ca.key'));
}

/** A new authority and an empty roster, as a whole or not at all. */
export async function createProject(out: string, project: Project, now: number): Promise<ProjectFolder> {
  const root = resolve(out);
  const settings = settingsOf(project);
  const authority = await createAuthority(project.project, project.server.org ?? project.project, now);
  const roster: Roster = { version: 1, project: project.project, serial: 0, entries: [] };
  const made = `${caFolder(root)}.new`;
  try {
    await rm(made, { recursive: true, force: true });
    await makePrivateFolder(made);
    const write = (name: string, text: string) => writeFileAtomic(join(made, name), text, { access: 'private' });
    await write('ca.key', authority.key);
    await write('ca.pem', authority.cert);
    await write('project.json', `${JSON.stringify(settings, undefined, 1)}\n`);
    await write('roster.json', signRoster(roster, authority.key));
    await rename(made, caFolder(root));
    await flushFolder(root);
  } catch (error) {
    throw workspaceError('create the authority', caFolder(root), error);
  }
  await makePrivateFolder(kitsFolder(root));
  return { root, settings, authority, roster };
}

/** A change of who takes part is in force once the master copy is written; then the server's kit gets it. */
export async function saveRoster(folder: ProjectFolder, roster: Roster): Promise<void> {
  const signed = signRoster(roster, folder.authority.key);
  await writeFileAtomic(join(caFolder(folder.root), 'roster.json'), signed, { access: 'private' });
  await publishRoster(folder);
}

/** Brings the roster in the server's kit up to date, when that kit is still here. */
async function publishRoster({ root, settings }: Pick<ProjectFolder, 'root' | 'settings'>): Promise<void> {
  const copy = rosterCopy(root, settings);
  if (copy === undefined) return;
  const master = await readBounded(join(caFolder(root), 'roster.json'), maxRosterBytes, 'roster');
  const there = existsSync(copy) ? await readBounded(copy, maxRosterBytes, 'roster') : undefined;
  if (there === undefined || !Buffer.from(master).equals(there))
    await writeFileAtomic(copy, master, { access: 'private' });
}

/** The roster in the server's kit, when the kit is still here. */
export function rosterCopy(root: string, { server }: ProjectSettings): string | undefined {
  const kit = kitFolder(root, server.name);
  return existsSync(join(kit, 'kit.json')) ? join(kit, 'roster.json') : undefined;
}

export function kitFolder(root: string, name: string): string {
  return join(kitsFolder(root), name);
}

export function settingsOf({ project, server, validityDays }: Project): ProjectSettings {
  const { name, hosts, port, adminPort = port } = server;
  return { version: 1, project, server: { name, hosts, port, adminPort }, validityDays };
}

function kitsFolder(root: string): string {
  return join(root, 'kits');
}

function caFolder(root: string): string {
  return join(root, 'ca');
}

/** Kits that a killed command has half written are removed. */
async function putInOrder(kits: string): Promise<void> {
  const names = existsSync(kits) ? await readdir(kits) : [];
  for (const left of names.filter((name) => /^\..+\.tmp$/.test(name))) {
    await rm(join(kits, left), { recursive: true, force: true });
  }
}

async function checkAuthority(root: string, { cert, key }: Credentials): Promise<void> {
  const path = join(caFolder(root), 'ca.key');
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    throw new ConfigError(`The key of the authority, '${path}', may be read by others than its owner.`, {
      hint: `Run: chmod 600 '${path}'. If others had access to this machine, make a new project in a new folder.`,
    });
  }
  let belongs = false;
  try {
    belongs = parseCertificate(cert, 'ca.pem').checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new ConfigError(`'${path}' is no private key.`, { cause, hint: 'Restore the folder ca/ from a copy.' });
  }
  if (!belongs) {
    throw new ConfigError(`'${path}' does not belong to the certificate ca.pem beside it.`, {
      hint: 'Restore the folder ca/ from a copy.',
    });
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
