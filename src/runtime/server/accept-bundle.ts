/**
 * A submitted bundle becomes a job of this server, or is refused: who signed it, what it names, and whether it fits together
 * are checked before anything of it is kept.
 *
 * @module
 */
import { join } from 'node:path';
import { ConfigError, isConsiliumError, RefusedError } from '../../errors';
import { type JobSpec, jobHash } from '../../jobs/job-spec';
import { workflowTraits } from '../../jobs/workflow-spec';
import type { BlobRef } from '../../protocol/wire/messages';
import type { Identity } from '../../transport/connection';
import { workspaceError, writeFileAtomic } from '../../util/atomic-file';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { didYouMean } from '../../util/nearest';
import { sha256Of } from '../../util/sha256';
import { checkFilters } from '../part-check';
import { type Bundle, bundleForSite, bundleJob, readBundle, unpackBundle } from '../provision/bundle';
import { type JobStore, writeSpec } from './job-store';
import type { ServerSettings } from './server-settings';
import type { JobFolder, SavedJob } from './stored-job';

export interface AcceptOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly store: JobStore;
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  readonly project: string;
  readonly allowCode: ServerSettings['allowCode'];
  /** Names of the project's sites. */
  readonly sites: () => readonly string[];
  /** Records that the job is taken, before it is: what is not recorded is not taken. */
  readonly record: (job: SavedJob) => Promise<void>;
}

export interface Submitted {
  /** The bundle, whole. It becomes the job's own. */
  readonly file: string;
  readonly ref: BlobRef;
  readonly by: Identity;
  /** The job that is run anew; it was checked when it was submitted. */
  readonly clonedFrom?: SavedJob;
}

/**
 * Makes a job of the bundle; the one that is there when the same content was submitted before.
 *
 * @throws RefusedError for who may not submit this, ConfigError for a job that is not valid.
 */
export async function acceptBundle(
  { file, ref, by, clonedFrom }: Submitted,
  options: AcceptOptions,
): Promise<{ readonly job: SavedJob; readonly created: boolean }> {
  const { disk, clock, store, ca, project } = options;
  const now = clonedFrom ? Date.parse(clonedFrom.history[0]!.time) : clock.wallMs();
  const opened = await disk.open(file, 'read').catch((error: unknown) => {
    throw workspaceError('read', file, error);
  });
  const made = store.making();
  try {
    const bundle = await readBundle(opened, { ca, project, now, purpose: 'server' });
    if (!clonedFrom) checkSubmitter(bundle, by);
    const known = clonedFrom
      ? undefined
      : store.all().find(({ hash, clonedFrom: other }) => hash === bundle.hash && !other);
    if (known) return { job: known, created: false };
    checkCode(bundle, options.allowCode);
    checkSites(bundle, options.sites());
    const { spec, parts } = await unpack(bundle, made, disk);
    await disk.rename(file, made.bundle);
    const job = jobOf(bundle, spec, { ref, by, clonedFrom, parts, store, clock });
    await options.record(job);
    await store.add(job, made);
    return { job, created: true };
  } catch (error) {
    await disk.remove(made.root);
    throw isConsiliumError(error) ? error : workspaceError('keep the job', made.root, error);
  } finally {
    await opened.close();
  }
}

function checkSubmitter({ submitter }: Bundle, { name, fingerprint }: Identity): void {
  if (submitter.name === name && submitter.fingerprint === fingerprint) return;
  throw new RefusedError(`The job was signed by '${submitter.name}', but '${name}' submits it.`, {
    hint: 'Submit it with the kit that it was bundled with.',
  });
}

function checkCode({ facts, submitter }: Bundle, allowed: ServerSettings['allowCode']): void {
  if (facts.modules.length === 0 || allowed === 'everyone') return;
  if (allowed === 'admins' && submitter.role === 'admin') return;
  const whose =
    allowed === 'never' ? 'none that bring code of their own' : 'code only in jobs that an admin has signed';
  throw new RefusedError(
    `The job brings modules, which would run in the server's process (${facts.modules.join(', ')}), and this server takes ${whose}.`,
    {
      hint: "Its operator can allow it with 'allowCode' in server.yaml. Scripts and programs of trainers need no such leave here.",
    },
  );
}

function checkSites({ facts }: Bundle, known: readonly string[]): void {
  const stranger = facts.sites.find((site) => !known.includes(site));
  if (stranger === undefined) return;
  throw new ConfigError(
    `The job names the site '${stranger}', which is none of this project.${didYouMean(stranger, known)}`,
    { hint: '`consilium sites` lists the sites of the project.' },
  );
}

/** Writes what the server and the sites get of the bundle, and checks the job as a whole. */
async function unpack(
  bundle: Bundle,
  { files, job: jobFile, parts: partsFolder }: JobFolder,
  disk: Disk,
): Promise<{ readonly spec: JobSpec; readonly parts: Readonly<Record<string, BlobRef>> }> {
  await unpackBundle(bundle, files, disk);
  const spec = await bundleJob(bundle, { folder: files });
  checkFilters(spec); // Whether there is a program to train with is the sites' to find out.
  await writeSpec(jobFile, spec, disk);
  const parts: Record<string, BlobRef> = {};
  const own = new Set(bundle.manifest.files.map(({ to }) => to));
  let shared: BlobRef | undefined;
  for (const site of spec.sites) {
    const isShared = !own.has(`site:${site}`);
    parts[site] = (isShared ? shared : undefined) ?? (await writePart(bundle, site, partsFolder, disk));
    if (isShared) shared = parts[site];
  }
  return { spec, parts };
}

async function writePart(bundle: Bundle, site: string, folder: string, disk: Disk): Promise<BlobRef> {
  const bytes = await bundleForSite(bundle, site);
  const ref = { sha256: sha256Of(...bytes), size: bytes.reduce((sum, { byteLength }) => sum + byteLength, 0) };
  await writeFileAtomic(join(folder, ref.sha256), bytes, { disk });
  return ref;
}

interface JobFields extends Pick<Submitted, 'ref' | 'by'>, Pick<AcceptOptions, 'store' | 'clock'> {
  readonly clonedFrom: SavedJob | undefined;
  readonly parts: Readonly<Record<string, BlobRef>>;
}

function jobOf({ hash, submitter }: Bundle, spec: JobSpec, fields: JobFields): SavedJob {
  const { ref, by, clonedFrom, parts, store, clock } = fields;
  const { minSites, rounds } = workflowTraits(spec.workflow);
  const { memoryMb, gpus } = spec.resources;
  return {
    version: 1,
    id: clonedFrom ? nextClone(clonedFrom, store) : idOf(spec.name, hash, store),
    order: store.nextOrder(),
    name: spec.name,
    hash,
    jobHash: jobHash(spec),
    bundle: ref,
    submitter: { name: submitter.name, org: submitter.org },
    owner: by.name,
    ...(clonedFrom && { clonedFrom: clonedFrom.id }),
    sites: spec.sites,
    minSites,
    rounds,
    resources: { memoryMb, gpus },
    parts,
    withdrawn: {},
    finishedRounds: 0,
    metrics: {},
    refusals: {},
    accepted: [],
    history: [{ state: 'submitted', time: new Date(clock.wallMs()).toISOString() }],
  };
}

/** `<name>-<start of the hash>`, with a number where that was taken before: by a job that was deleted since, say. */
function idOf(name: string, hash: string, store: JobStore): string {
  const id = `${name}-${hash.slice(0, 8)}`;
  return store.taken(id) ? nextOf(id, store) : id;
}

/** `<id>-2`, `<id>-3`, …, also for the clone of a clone. */
function nextClone({ id, clonedFrom }: SavedJob, store: JobStore): string {
  return nextOf(clonedFrom === undefined ? id : id.replace(/-\d+$/, ''), store);
}

function nextOf(first: string, store: JobStore): string {
  let number = 2;
  while (store.taken(`${first}-${number}`)) number++;
  return `${first}-${number}`;
}
