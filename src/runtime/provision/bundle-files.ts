/**
 * Which files of a job travel, under which path, to whom.
 *
 * @module
 */
import { createHmac, createPrivateKey } from 'node:crypto';
import { basename, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import { ConfigError } from '../../errors';
import { codeFiles, tensorFiles, withTensorFiles } from '../../jobs/export-job';
import type { JobSpec } from '../../jobs/job-spec';
import { jobToYaml } from '../../jobs/job-yaml';
import type { Disk } from '../../util/disk';
import type { Json } from '../../util/json';
import { type Audience, isReserved, jobPath, siteConfigPath } from './bundle-format';
import { pathProblem, pathsProblem } from './bundle-paths';

/** A file on its way into a bundle. */
export interface SourceFile {
  readonly path: string;
  readonly to: Audience;
  readonly executable: boolean;
  /** Its bytes, or the file that holds them. */
  readonly content: Uint8Array | string;
}

export interface CollectOptions {
  /** What the job's relative paths start from. */
  readonly folder: string;
  /** More files for the sites. */
  readonly include: readonly string[];
  readonly project: string;
  /** The submitter's, PEM: nobody else can tell what a salt will be. */
  readonly key: string;
  readonly disk: Disk;
}

/**
 * The files of a job's bundle, sorted by path. Links within the job's folder are followed.
 *
 * @throws ConfigError for code outside of the job's folder, also where a link leads out, and for paths that no bundle can have.
 */
export async function collectFiles(job: JobSpec, options: CollectOptions): Promise<readonly SourceFile[]> {
  const { folder } = options;
  const moved = namesForTensors(job, folder);
  const files = new Map<string, SourceFile>();
  const add = (file: SourceFile) => files.set(file.path, file);
  for (const [file, path] of moved) add({ path, to: 'server', executable: false, content: resolve(folder, file) });
  // Whatever a site runs goes to everybody, also when it is named as something else too.
  for (const file of await sharedFiles(job, options)) add(file);
  for (const { path } of files.values()) refusePath(path);
  add({ path: jobPath, to: 'all', executable: false, content: jobBytes(job, moved) });
  for (const [site, config] of Object.entries(job.siteConfig)) {
    const content = configBytes(job.name, site, config, options);
    add({ path: siteConfigPath(site), to: `site:${site}`, executable: false, content });
  }
  const problem = pathsProblem([...files.keys()]);
  if (problem !== undefined) throw refusal(problem);
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a job says of its code, whether or not it is a valid one. */
interface JobWithCode {
  readonly modules: readonly string[];
  readonly trainer: { readonly kind: string; readonly script?: unknown; readonly command?: unknown };
}

/** The files that a job brings to each of its sites. @throws ConfigError as {@link collectFiles}. */
export async function sharedFiles(
  job: JobWithCode,
  options: Pick<CollectOptions, 'folder' | 'include' | 'disk'>,
): Promise<readonly (SourceFile & { readonly content: string })[]> {
  const files: (SourceFile & { readonly content: string })[] = [];
  const command = commandOf(job);
  for (const file of [...codeFiles(job), ...options.include, ...(await commandFiles(command, options))]) {
    const path = pathWithin(file);
    const content = await placeWithin(file, options);
    files.push({ path, to: 'all', executable: pathOf(command[0]) === path, content });
  }
  return files;
}

function commandOf({ trainer: { kind, command } }: JobWithCode): readonly string[] {
  return kind === 'command' && Array.isArray(command) ? command.filter((word) => typeof word === 'string') : [];
}

/** By file that only the server reads: its path in the bundle. One that lies outside of the job's folder gets a new one. */
function namesForTensors(job: JobSpec, folder: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const file of tensorFiles(job)) {
    if (names.has(file)) continue;
    const path = isWithin(file) ? pathOf(file)! : `start/${names.size}-${basename(resolve(folder, file))}`;
    names.set(file, path);
  }
  return names;
}

/** The job without what its sites must not know of each other. */
function jobBytes(job: JobSpec, moved: ReadonlyMap<string, string>): Uint8Array {
  const sent = withTensorFiles({ ...job, siteConfig: {} }, (file) => moved.get(file)!);
  return Buffer.from(jobToYaml(sent, { forSites: true }));
}

/**
 * A site's configuration with a salt, so that nobody who sees the hash can find the content by trying. The salt follows from
 * the content and the submitter's key: the same job gives the same bytes. Blanks at the end hide how long it is.
 */
function configBytes(job: string, site: string, config: Json, { project, key }: CollectOptions): Uint8Array {
  const secret = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  const content = JSON.stringify({ project, job, site, config });
  const salt = createHmac('sha256', secret).update('consilium site-config salt 1\n').update(content).digest('hex');
  const bytes = Buffer.from(JSON.stringify({ salt, config }));
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512, ' ')]);
}

/** Words of a command that name files of the job's folder: the program itself, a script for an interpreter. */
async function commandFiles(
  command: readonly string[],
  { folder, disk }: Pick<CollectOptions, 'folder' | 'disk'>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [i, word] of command.entries()) {
    // A program without a slash is looked for on the PATH of the site.
    const isName = i === 0 && !/[\\/]/.test(word);
    if (!isName && isWithin(word) && (await isFile(disk, resolve(folder, word)))) found.push(word);
  }
  return found;
}

async function isFile(disk: Disk, path: string): Promise<boolean> {
  try {
    const file = await disk.open(path, 'read');
    try {
      await file.read(new Uint8Array(1), 0);
      return true;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return false;
    throw error;
  }
}

function pathWithin(file: string): string {
  if (isWithin(file)) return pathOf(file)!;
  throw new ConfigError(`The job names its file '${file}', which lies outside of the job's folder.`, {
    hint: "A submitted job carries its code with it: move the file into the job's folder, and name it by its relative path.",
  });
}

/** Where the file lies, links followed: what a link names was perhaps never meant to leave. */
async function placeWithin(file: string, { folder, disk }: Pick<CollectOptions, 'folder' | 'disk'>): Promise<string> {
  const [root, place] = await Promise.all([disk.realPath(folder), disk.realPath(resolve(folder, file))]).catch(
    (cause: unknown) => {
      throw unreadable(resolve(folder, file), cause);
    },
  );
  if (isWithin(relative(root, place))) return place;
  throw new ConfigError(
    `The job's file '${file}' leads by a link to '${place}', outside of the job's folder '${root}'.`,
    {
      hint: "It would be sent to the server and the sites. If it is meant to be, copy the file into the job's folder, in place of the link.",
    },
  );
}

export function unreadable(file: string, cause: unknown): ConfigError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
  return new ConfigError(`The job's file '${file}' ${why}.`, { cause, hint: "Paths start from the job's folder." });
}

function isWithin(file: string): boolean {
  return !isAbsolute(file) && !/^\.\.([\\/]|$)/.test(normalize(file));
}

/** As a bundle writes it. */
function pathOf(file: string | undefined): string | undefined {
  return file === undefined ? undefined : normalize(join('.', file)).split(sep).join('/');
}

function refusePath(path: string): void {
  const problem = isReserved(path) ? 'the bundle needs this name itself' : pathProblem(path);
  if (problem !== undefined) throw refusal(`'${path}': ${problem}`);
}

function refusal(problem: string): ConfigError {
  return new ConfigError(`The job cannot be bundled: ${problem}.`, { hint: 'Rename the file.' });
}
