/**
 * A bundle that was read becomes what its users need: the part of one site, files on disk, the job.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, isConsiliumError, RefusedError } from '../../errors';
import type { Variables } from '../../jobs/environment-text';
import type { JobSpec } from '../../jobs/job-spec';
import { jobFromYaml } from '../../jobs/job-yaml';
import { workspaceError } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { type Json, json } from '../../util/json';
import type { Bundle } from './bundle';
import { type BundleEntry, encodeHeader, jobPath } from './bundle-format';
import { parseJsonFile } from './json-file';
import { partOf } from './read-bundle';

/** What one site gets of a bundle, in parts (14 MiB at most): its own configuration and what is for all. @throws RefusedError */
export async function bundleForSite(bundle: Bundle, site: string): Promise<readonly Uint8Array[]> {
  if (bundle.site !== undefined || !bundle.facts.sites.includes(site)) {
    throw new RefusedError(`'${site}' is no site of the job '${bundle.manifest.job}'.`);
  }
  const files = partOf(bundle.manifest, site);
  const parts = [encodeHeader(bundle.envelope, files)];
  for (const { path } of files) parts.push(await bundle.read(path));
  return parts;
}

/**
 * Writes the files of a bundle into a folder of their own, which no other user reads, as a whole and durably; what was there
 * before is removed. The configuration of sites stays in the bundle.
 *
 * @throws RefusedError when the bundle's bytes are no longer those that were checked; WorkspaceError.
 */
export async function unpackBundle(bundle: Bundle, folder: string, disk: Disk): Promise<void> {
  const made = `${folder}.unpacking`;
  try {
    await disk.remove(made);
    await disk.makeFolder(dirname(folder));
    await disk.makeFolder(made, 'private');
    const folders = new Set([made]);
    for (const entry of bundle.files) {
      if (entry.to.startsWith('site:')) continue;
      for (const inner of foldersOf(entry.path).map((one) => join(made, one))) {
        if (!folders.has(inner)) await disk.makeFolder(inner, 'private');
        folders.add(inner);
      }
      await writeEntry(bundle, entry, made, disk);
    }
    for (const one of folders) await disk.syncFolder(one);
    await disk.remove(folder);
    await disk.rename(made, folder);
    await disk.syncFolder(dirname(folder));
  } catch (error) {
    await disk.remove(made);
    throw isConsiliumError(error) ? error : workspaceError('unpack the job into', folder, error);
  }
}

/** `a` and `a/b` of `a/b/c`. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

async function writeEntry(
  bundle: Bundle,
  { path, sha256, executable }: BundleEntry,
  folder: string,
  disk: Disk,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await disk.open(join(folder, path), 'new', executable ? 'program' : 'private');
  try {
    for await (const piece of bundle.pieces(path)) {
      hash.update(piece);
      await file.write([piece]);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (hash.digest('hex') === sha256) return;
  throw new RefusedError(`The bundle was changed while it was unpacked: '${path}' is no longer what was signed.`);
}

export interface BundleJobOptions {
  /** Where the bundle was unpacked. */
  readonly folder: string;
  /** What `${NAME}` in the job's `data` stands for at this site. @default none; at the server they stay as they are */
  readonly variables?: Variables;
}

/**
 * The job of an unpacked bundle, checked as a whole. Its modules are LOADED, which runs them: call it only after the policy's
 * yes to what `Bundle.facts` names. At a site, `siteConfig` holds that of the site alone.
 *
 * @throws ConfigError that lists every problem of the job, and for code that the bundle does not carry.
 */
export async function bundleJob(bundle: Bundle, { folder, variables = {} }: BundleJobOptions): Promise<JobSpec> {
  checkCarried(bundle, folder);
  const siteConfig: Record<string, Json> = {};
  for (const { path, to } of bundle.files) {
    if (to.startsWith('site:')) siteConfig[to.slice('site:'.length)] = await configIn(bundle, path);
  }
  const { site } = bundle;
  return jobFromYaml(await bundle.read(jobPath), jobPath, {
    folder,
    siteConfig,
    ...(site === undefined ? { forSites: true, environment: {} } : { onlySite: site, environment: variables }),
  });
}

const siteConfigFile = z.strictObject({ salt: z.string(), config: json });

/** As deep as a job file may be. */
const deepestConfig = 64;

async function configIn(bundle: Bundle, path: string): Promise<Json> {
  return parseJsonFile(await bundle.read(path), siteConfigFile, path, deepestConfig).config;
}

/** Code is what the policy has seen, so it is what lies in the bundle. @throws ConfigError */
function checkCarried({ facts, files }: Bundle, folder: string): void {
  const carried = new Set(files.filter(({ to }) => to === 'all').map(({ path }) => resolve(folder, path)));
  const code = [...facts.modules, ...(facts.trainer.script === undefined ? [] : [facts.trainer.script])];
  const missing = code.find((file) => !carried.has(resolve(folder, file)));
  if (missing === undefined) return;
  throw new ConfigError(`The job names the code '${missing}', which its bundle does not carry.`, {
    hint: 'Submit the job again with `consilium submit`.',
  });
}
