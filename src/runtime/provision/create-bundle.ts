/**
 * A job becomes one signed file.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { ConfigError, isConsiliumError, RefusedError } from '../../errors';
import type { JobSpec } from '../../jobs/job-spec';
import { workspaceError } from '../../util/atomic-file';
import type { Disk, DiskFile } from '../../util/disk';
import { sha256Of } from '../../util/sha256';
import { collectFiles, type SourceFile, unreadable } from './bundle-files';
import {
  type BundleEntry,
  type BundleManifest,
  encodeHeader,
  maxBundleBytes,
  maxSiteBytes,
  sealManifest,
} from './bundle-format';
import { type BundleSource, hashOf, piecesOf, sizeOfSource } from './bundle-source';
import type { Kit } from './kit';

export interface CreateBundleOptions {
  /** What the job's relative paths start from. */
  readonly folder: string;
  /** Kit of who submits: a researcher's or an admin's. */
  readonly kit: Kit;
  /** More files for the sites: what scripts and modules import themselves. Paths relative to the folder. @default none */
  readonly include?: readonly string[];
}

export interface WrittenBundle {
  readonly file: string;
  /** Identity of what was submitted: that of `Bundle.hash`. */
  readonly hash: string;
  /** Of the file, for a transfer. */
  readonly sha256: string;
  readonly size: number;
  readonly manifest: BundleManifest;
}

/**
 * Writes the bundle of a job, as a whole and durably. Code is named by paths within the job's folder; tensors that the model
 * starts from may lie anywhere. Words of a training command that name files of the folder travel too. `${NAME}` in the job's
 * `data` stays as it is: each site fills in its own. A link may lead to another file of the folder; code behind one that leads
 * out of it is refused.
 *
 * @throws ConfigError for a file that is missing or too large, or lies outside of the folder; RefusedError for a kit whose role
 * may not submit; WorkspaceError when it cannot be written.
 */
export async function createBundle(
  job: JobSpec,
  { folder, kit, include = [] }: CreateBundleOptions,
  file: string,
  disk: Disk,
): Promise<WrittenBundle> {
  const { name, role, org, fingerprint, project } = kit;
  if (!maySubmit(role)) {
    throw new RefusedError(`'${name}' is a ${role}, and only researchers and admins submit jobs.`, {
      hint: 'Use the kit of a researcher, with --kit.',
    });
  }
  const files = await collectFiles(job, { folder, include, project, key: kit.tls.key, disk });
  const entries: BundleEntry[] = [];
  for (const { path, to, executable, content } of files) {
    const { sha256, size } = await withContent(disk, content, async (source) =>
      hashOf(piecesOf(source, 0, await sizeOfSource(source))),
    );
    entries.push({ path, size, sha256, to, executable });
  }
  checkSizes(entries);
  const submitter = { name, role, org, fingerprint };
  const manifest: BundleManifest = { version: 1, project, job: job.name, submitter, files: entries };
  const envelope = sealManifest(manifest, kit.tls);
  const header = encodeHeader(envelope, entries);
  const written = await writeBundle(
    file,
    header,
    files.map((source, i) => ({ ...source, entry: entries[i]! })),
    disk,
  );
  return { file, hash: sha256Of(Buffer.from(envelope.manifest)), ...written, manifest };
}

export function maySubmit(role: string): boolean {
  return role === 'researcher' || role === 'admin';
}

/** @throws ConfigError for more bytes than a bundle, or what one site gets of it, may have. */
export function checkSizes(entries: readonly BundleEntry[]): void {
  const sum = (some: readonly BundleEntry[]) => some.reduce((total, { size }) => total + size, 0);
  const forAll = sum(entries.filter(({ to }) => to === 'all'));
  const own = entries.filter(({ to }) => to.startsWith('site:')).reduce((most, { size }) => Math.max(most, size), 0);
  if (forAll + own > maxSiteBytes) throw tooLarge('What a site gets of the job', forAll + own, maxSiteBytes);
  const all = sum(entries);
  if (all > maxBundleBytes) throw tooLarge('The job with its files', all, maxBundleBytes);
}

function tooLarge(what: string, size: number, most: number): ConfigError {
  return new ConfigError(`${what} has ${size} bytes, but ${most} are the most.`, {
    hint: 'Data belong to the sites, not into a job: leave large files out.',
  });
}

interface EnteredFile extends SourceFile {
  readonly entry: BundleEntry;
}

async function writeBundle(
  file: string,
  header: Uint8Array,
  files: readonly EnteredFile[],
  disk: Disk,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const temporary = join(dirname(file), `.${basename(file)}.${disk.freshName()}.tmp`);
  try {
    await disk.makeFolder(dirname(file));
    const out = await disk.open(temporary, 'new', 'private');
    const written = await closing(out, async () => {
      const hash = createHash('sha256');
      let size = 0;
      for await (const piece of allPieces(header, files, disk)) {
        await out.write([piece]);
        hash.update(piece);
        size += piece.byteLength;
      }
      await out.sync();
      return { sha256: hash.digest('hex'), size };
    });
    await disk.rename(temporary, file);
    await disk.syncFolder(dirname(file));
    return written;
  } catch (error) {
    await disk.remove(temporary);
    throw isConsiliumError(error) ? error : workspaceError('write', file, error);
  }
}

/** Each file as it was when its hash was taken. @throws ConfigError for one that has changed since. */
async function* allPieces(header: Uint8Array, files: readonly EnteredFile[], disk: Disk): AsyncGenerator<Uint8Array> {
  yield header;
  for (const { content, entry } of files) {
    const source = await openContent(disk, content);
    try {
      const hash = createHash('sha256');
      for await (const piece of piecesOf(source, 0, entry.size)) {
        hash.update(piece);
        yield piece;
      }
      if (hash.digest('hex') === entry.sha256) continue;
    } finally {
      if ('close' in source) await source.close();
    }
    throw new ConfigError(`The job's file '${entry.path}' was changed while it was bundled.`, {
      hint: 'Submit it again.',
    });
  }
}

async function withContent<T>(
  disk: Disk,
  content: SourceFile['content'],
  use: (source: BundleSource) => Promise<T>,
): Promise<T> {
  const source = await openContent(disk, content);
  try {
    return await use(source);
  } catch (cause) {
    throw isConsiliumError(cause) ? cause : unreadable(String(content), cause);
  } finally {
    if ('close' in source) await source.close();
  }
}

async function openContent(disk: Disk, content: SourceFile['content']): Promise<Uint8Array | DiskFile> {
  if (content instanceof Uint8Array) return content;
  return disk.open(content, 'read').catch((cause: unknown) => {
    throw unreadable(content, cause);
  });
}

async function closing<T>(file: DiskFile, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await file.close();
  }
}
