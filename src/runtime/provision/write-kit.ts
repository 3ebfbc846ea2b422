import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { flushFolder, workspaceError, writeFileAtomic } from '../../util/atomic-file';
import { makeFolder } from '../../util/make-folder';
import { sha256Of } from '../../util/sha256';
import type { Credentials } from './authority';
import { fingerprintOf, parseCertificate, readableFingerprint } from './certificate';
import { editableFiles, type KitInfo, signManifest } from './kit-files';
import { firstTexts, readme, startScript } from './kit-text';

export interface KitContent {
  readonly info: KitInfo;
  readonly cert: string;
  /** Absent when whoever gets the kit has made the key. */
  readonly key?: string;
  readonly authority: Credentials;
  /** Server: the signed roster. */
  readonly roster?: string;
}

/**
 * Writes a startup kit as a whole: the folder is the old one or the new one, never half of each. No other user can read it from
 * its first moment on. Settings that a user has changed in an earlier kit of this folder are kept.
 *
 * @throws WorkspaceError
 */
export async function writeKit(folder: string, content: KitContent): Promise<void> {
  const made = join(dirname(folder), `.${content.info.name}.${randomUUID()}.tmp`);
  try {
    await makePrivateFolder(made);
    await writeFiles(made, folder, content);
    await replaceFolder(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
  await flushFolder(dirname(folder));
}

/** A folder for this user alone, whatever the umask says; those above it, as usual. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await makeFolder(dirname(folder));
    if (!existsSync(folder)) await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    throw workspaceError('create the folder', folder, error);
  }
}

async function writeFiles(
  made: string,
  earlier: string,
  { info, cert, key, authority, roster }: KitContent,
): Promise<void> {
  const ca = authority.cert;
  const signed: Readonly<Record<string, string>> = {
    'kit.json': `${JSON.stringify(info, undefined, 1)}\n`,
    'cert.pem': cert,
    'ca.pem': ca,
    'start.sh': startScript(info),
    'README.md': readme(info, readableFingerprint(fingerprintOf(parseCertificate(ca, 'ca.pem')))),
  };
  const files = Object.fromEntries(Object.entries(signed).map(([name, text]) => [name, sha256Of(Buffer.from(text))]));
  const manifest = signManifest({ version: 1, project: info.project, name: info.name, files }, authority.key);
  const all: Record<string, string> = { ...signed, 'manifest.json': `${JSON.stringify(manifest, undefined, 1)}\n` };
  if (key !== undefined) all['key.pem'] = key;
  for (const name of editableFiles[info.kind]) {
    const text = name === 'roster.json' ? roster : await keptText(join(earlier, name), firstTexts[name]);
    if (text !== undefined) all[name] = text;
  }
  await Promise.all(
    Object.entries(all).map(([name, text]) =>
      writeFileAtomic(join(made, name), text, {
        durableName: false,
        access: name === 'start.sh' ? 'program' : 'private',
      }),
    ),
  );
  await flushFolder(made);
}

async function keptText(path: string, otherwise: string | undefined): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : otherwise;
}

/** Two renames: a folder cannot be renamed over another one that holds anything. */
async function replaceFolder(made: string, folder: string): Promise<void> {
  const aside = `${made}.old`;
  try {
    if (existsSync(folder)) await rename(folder, aside);
    await rename(made, folder);
    await rm(aside, { recursive: true, force: true });
  } catch (error) {
    throw workspaceError('write the kit', folder, error);
  }
}
