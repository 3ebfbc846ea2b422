import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { WorkspaceError } from '../../errors';
import { flushFolder, workspaceError, writeFileAtomic } from '../../util/atomic-file';
import { makeFolder } from '../../util/make-folder';
import { sha256Of } from '../../util/sha256';
import type { Credentials } from './authority';
import { fingerprintOf, keyBelongs, parseCertificate, readableFingerprint } from './certificate';
import { editableFiles, type KitInfo, signManifest } from './kit-files';
import { firstTexts, readme, startScript } from './kit-text';

export interface KitContent {
  readonly info: KitInfo;
  readonly cert: string;
  /** Absent when whoever gets the kit has made the key. */
  readonly key?: string;
  readonly authority: Credentials;
}

/**
 * Writes a startup kit, which no other user can read from its first moment on. A new folder appears as a whole. In the folder of
 * an earlier kit, only the files that a kit consists of are replaced: settings, the workspace and whatever else lies there are
 * kept. Until the last file is in its place the two kits are mixed, and `loadKit` refuses every mixture.
 *
 * @throws WorkspaceError
 */
export async function writeKit(folder: string, content: KitContent): Promise<void> {
  const made = join(dirname(folder), `.${content.info.name}.${randomUUID()}.tmp`);
  try {
    await makePrivateFolder(made);
    await writeFiles(made, folder, content);
    if (existsSync(folder)) await putOver(folder, made, content);
    else await rename(made, folder).catch((error: unknown) => Promise.reject(cannotWrite(folder, error)));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  await flushFolder(dirname(folder));
}

/** A folder for this user alone, whatever the umask says; those above it, as usual. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await makeFolder(dirname(folder));
    await makeFolder(folder, 0o700); // A file in its place is an error, and keeps its rights.
    await chmod(folder, 0o700);
  } catch (error) {
    throw workspaceError('create the folder', folder, error);
  }
}

async function writeFiles(made: string, earlier: string, { info, cert, key, authority }: KitContent): Promise<void> {
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
    const text = firstTexts[name];
    if (text !== undefined && !existsSync(join(earlier, name))) all[name] = text;
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

/** Puts the files of a new kit in the place of those of the earlier one, one after the other. */
async function putOver(folder: string, made: string, { cert, key }: KitContent): Promise<void> {
  const path = join(folder, 'key.pem');
  try {
    await chmod(folder, 0o700);
    // A key that was made right here is the one that the new certificate is for.
    const isForeign = key === undefined && existsSync(path) && !isKeyOf(await readFile(path), cert);
    if (isForeign) await rm(path);
    for (const name of await readdir(made)) await rename(join(made, name), join(folder, name));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  await flushFolder(folder);
}

function isKeyOf(key: Uint8Array, cert: string): boolean {
  return keyBelongs(Buffer.from(key).toString('utf8'), parseCertificate(cert, 'cert.pem'));
}

function cannotWrite(folder: string, cause: unknown): WorkspaceError {
  return workspaceError('write the kit', folder, cause);
}
