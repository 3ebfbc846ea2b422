/**
 * A job bundle: a job and its files in one file, signed by who submits it. Nothing in it is loaded or run by reading it.
 *
 * Bytes: u64 LE length of the header, the header (JSON), then the bytes of the files, in the order of the manifest. The
 * signature is over the manifest, which has size and SHA-256 of every file; a part of a bundle, such as what one site gets,
 * has the same manifest and fewer files.
 *
 * @module
 */
import { InternalError } from '../../errors';
import type { Variables } from '../../jobs/environment-text';
import type { JobSpec } from '../../jobs/job-spec';
import type { Identity } from '../../transport/connection';
import type { Disk, DiskFile } from '../../util/disk';
import type { JobFacts } from './job-facts';
import type { Kit } from './kit';

/** Who gets a file: everybody; the server, as what a model starts from; one site, as its own configuration. */
export type Audience = 'all' | 'server' | `site:${string}`;

export interface BundleEntry {
  /** Relative to the job's folder, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly to: Audience;
  /** Whether it is a program that the job starts. */
  readonly executable: boolean;
}

/** Who signed a job. */
export interface Submitter extends Identity {
  readonly org: string;
}

export interface BundleManifest {
  readonly version: 1;
  readonly project: string;
  /** Name of the job. */
  readonly job: string;
  readonly submitter: Submitter;
  /** Sorted by path. */
  readonly files: readonly BundleEntry[];
}

/** Where a bundle's bytes are: in memory, or in an open file, which stays the caller's to close. */
export type BundleSource = Uint8Array | Pick<DiskFile, 'size' | 'read'>;

/** A bundle whose signature and every byte have been checked. */
export interface Bundle {
  /**
   * SHA-256 of the manifest, hex: the identity of what was submitted. Equal for the same job, files, variables and submitter's
   * certificate, whenever it is bundled, and the same at the server and at every site.
   */
  readonly hash: string;
  readonly manifest: BundleManifest;
  readonly submitter: Submitter;
  /** Whose part this is; all of it at the server. */
  readonly site: string | undefined;
  /** What the job names, for a policy to decide on before any code of it is loaded. */
  readonly facts: JobFacts;
  /** Files of the manifest that are here. */
  readonly files: readonly BundleEntry[];
  /** The bytes of a file that is here, at most 10 MiB. @throws ConfigError for a path that is not here or too long. */
  read(path: string): Promise<Uint8Array>;
}

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
  /** {@link Bundle.hash} */
  readonly hash: string;
  /** Of the file, for a transfer. */
  readonly sha256: string;
  readonly size: number;
  readonly manifest: BundleManifest;
}

/**
 * Writes the bundle of a job, as a whole and durably. Code is named by paths within the job's folder; tensors that the model
 * starts from may lie anywhere. `${NAME}` in the job's `data` stays as it is: each site fills in its own.
 *
 * @throws ConfigError for a file that is missing or too large, or lies outside of the folder; RefusedError for a kit whose role
 * may not submit.
 */
export function createBundle(
  _job: JobSpec,
  _options: CreateBundleOptions,
  _file: string,
  _disk: Disk,
): Promise<WrittenBundle> {
  throw new InternalError('Not written yet.');
}

export type ReadBundleOptions = {
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  readonly project: string;
  /** Milliseconds since 1970; for a bundle that was accepted before, that moment. */
  readonly now: number;
} & ({ readonly purpose: 'server' } | { readonly purpose: 'site'; readonly site: string });

/**
 * Reads a bundle: its signature, the submitter's certificate and role, paths, sizes and the hash of every file. Whether the
 * submitter is still on the roster is the server's to ask, of `admit`.
 *
 * @throws RefusedError for a bundle that does not hold what was signed, or that was signed by somebody who may not; ConfigError
 * for a job in it that is none.
 */
export function readBundle(_source: BundleSource, _options: ReadBundleOptions): Promise<Bundle> {
  throw new InternalError('Not written yet.');
}

/** What one site gets of a bundle, in parts (10 MiB at most): its own configuration and what is for all. */
export function bundleForSite(_bundle: Bundle, _site: string): Promise<readonly Uint8Array[]> {
  throw new InternalError('Not written yet.');
}

/** Writes the files of a bundle into a folder of their own, which no other user reads; what was there before is removed. */
export function unpackBundle(_bundle: Bundle, _folder: string, _disk: Disk): Promise<void> {
  throw new InternalError('Not written yet.');
}

export interface BundleJobOptions {
  /** Where the bundle was unpacked. */
  readonly folder: string;
  /** What `${NAME}` in the job's `data` stands for at this site. @default none; at the server they stay as they are */
  readonly variables?: Variables;
}

/**
 * The job of an unpacked bundle, checked as a whole. Its modules are LOADED, which runs them: call it only after the policy's
 * yes to what {@link Bundle.facts} names. At a site, `siteConfig` holds that of the site alone.
 *
 * @throws ConfigError that lists every problem of the job.
 */
export function bundleJob(_bundle: Bundle, _options: BundleJobOptions): JobSpec {
  throw new InternalError('Not written yet.');
}
