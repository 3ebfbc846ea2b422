/**
 * A job bundle: a job and its files in one file, signed by who submits it. Nothing in it is loaded or run by reading it.
 *
 * The signature is over the manifest, which has size and SHA-256 of every file; a part of a bundle, such as what one site
 * gets, has the same manifest and fewer files. What each site is to know alone travels as a file of its own, with a salt.
 *
 * @module
 */
import type { BundleEntry, BundleManifest, Envelope, Submitter } from './bundle-format';
import type { JobFacts } from './job-facts';

export { type Audience, type BundleEntry, type BundleManifest, jobPath, type Submitter } from './bundle-format';
export type { BundleSource } from './bundle-source';
export { type CreateBundleOptions, createBundle, maySubmit, type WrittenBundle } from './create-bundle';
export type { JobFacts } from './job-facts';
export { type ReadBundleOptions, readBundle } from './read-bundle';
export { type BundleJobOptions, bundleForSite, bundleJob, unpackBundle } from './unpack-bundle';

/** A bundle whose signature and every byte have been checked. */
export interface Bundle {
  /**
   * SHA-256 of the manifest, hex: the identity of what was submitted. Equal for the same job, files and submitter's certificate,
   * whenever it is bundled, and the same at the server and at every site.
   */
  readonly hash: string;
  readonly envelope: Envelope;
  readonly manifest: BundleManifest;
  readonly submitter: Submitter;
  /** Whose part this is; all of it at the server. */
  readonly site: string | undefined;
  /** What the job names, for a policy to decide on before any code of it is loaded. */
  readonly facts: JobFacts;
  /** Files of the manifest that are here. */
  readonly files: readonly BundleEntry[];
  /** The bytes of a file that is here, 10 MiB at most. @throws ConfigError for a path that is not here or too long. */
  read(path: string): Promise<Uint8Array>;
  /** The bytes of a file that is here, of any length. */
  pieces(path: string): AsyncIterable<Uint8Array>;
}
