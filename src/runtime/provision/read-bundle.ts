/**
 * A bundle that came from somebody else: what it is said to be is checked before it is anything.
 *
 * @module
 */
import { ConfigError, isConsiliumError, RefusedError } from '../../errors';
import { parseYaml } from '../../jobs/read-yaml';
import { maxJobBytes } from '../../jobs/yaml-guard';
import { sha256Of } from '../../util/sha256';
import type { Bundle } from './bundle';
import {
  type BundleEntry,
  type BundleHeader,
  type BundleManifest,
  decodeHeader,
  decodeManifest,
  type Envelope,
  headerLength,
  isReserved,
  isSealedBy,
  jobPath,
  maxSiteBytes,
  type Submitter,
  siteConfigPath,
} from './bundle-format';
import { pathProblem, pathsProblem } from './bundle-paths';
import { type BundleSource, hashOf, piecesOf, readAll, sizeOfSource } from './bundle-source';
import { certificateFacts, checkDates, checkIssued, parseCertificate } from './certificate';
import { checkSizes, maySubmit } from './create-bundle';
import { type JobFacts, jobFacts } from './job-facts';

export type ReadBundleOptions = {
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  readonly project: string;
  /** Milliseconds since 1970; for a bundle that was accepted before, that moment. */
  readonly now: number;
} & ({ readonly purpose: 'server' } | { readonly purpose: 'site'; readonly site: string });

/**
 * Reads a bundle: its signature, the submitter's certificate and role, paths, sizes and the hash of every file. Nothing in it
 * is loaded or run. Whether the submitter is still on the roster, and is who has sent it, is the server's to ask.
 *
 * @throws RefusedError for a bundle that does not hold what was signed, or that was signed by somebody who may not; ConfigError
 * for one whose content is none, such as a job that is no job.
 */
export async function readBundle(source: BundleSource, options: ReadBundleOptions): Promise<Bundle> {
  const { header, start } = await readHeader(source);
  const { files: included, ...envelope } = header;
  const manifest = decodeManifest(envelope.manifest);
  checkSignature(envelope, manifest, options);
  checkPaths(manifest);
  checkSizes(manifest.files);
  const site = options.purpose === 'site' ? options.site : undefined;
  const files = partOf(manifest, site);
  if (included.join('\n') !== files.map(({ path }) => path).join('\n')) {
    throw refusal(`it does not hold the files that ${site === undefined ? 'the server' : `'${site}'`} is to get`);
  }
  const places = await checkFiles(source, start, files);
  const read = async (path: string) => {
    const entry = files.find((one) => one.path === path);
    if (!entry || entry.size > maxSiteBytes)
      throw new ConfigError(`The bundle has no file '${path}' that can be read at once.`);
    return readAll(source, places.get(path)!, entry.size);
  };
  const facts = factsOf(await read(jobPath));
  checkJob(facts, manifest, site);
  const { submitter } = manifest;
  const pieces = (path: string) => piecesOf(source, places.get(path)!, files.find((one) => one.path === path)!.size);
  return {
    hash: sha256Of(Buffer.from(envelope.manifest)),
    envelope,
    manifest,
    submitter,
    site,
    facts,
    files,
    read,
    pieces,
  };
}

/** The entries that the server gets (all), or one site. */
export function partOf({ files }: BundleManifest, site: string | undefined): readonly BundleEntry[] {
  return site === undefined ? files : files.filter(({ to }) => to === 'all' || to === `site:${site}`);
}

async function readHeader(source: BundleSource): Promise<{ readonly header: BundleHeader; readonly start: number }> {
  const length = headerLength(await readAll(source, 0, 8));
  const size = await sizeOfSource(source);
  if (length === undefined || length > size - 8) throw refusal('it is no bundle, or it was cut off');
  try {
    return { header: decodeHeader(await readAll(source, 8, length)), start: 8 + length };
  } catch (cause) {
    if (!isConsiliumError(cause)) throw cause;
    throw refusal('it is no bundle, or of another version', cause);
  }
}

function checkSignature(
  envelope: Envelope,
  { submitter, project }: BundleManifest,
  { ca, project: own, now }: ReadBundleOptions,
): void {
  const what = 'The certificate of who signed the bundle';
  const certificate = parseCertificate(envelope.certificate, what);
  checkIssued(certificate, parseCertificate(ca, 'ca.pem'), what);
  const facts = certificateFacts(certificate, what);
  checkDates(facts, now, what);
  if (!isSealedBy(envelope, certificate.publicKey))
    throw refusal('its signature is wrong: it was changed after it was signed');
  const wrong = (['name', 'role', 'org', 'fingerprint'] as const).find((field) => facts[field] !== submitter[field]);
  if (wrong !== undefined)
    throw refusal(`it names the ${wrong} '${submitter[wrong]}', but '${facts[wrong]}' signed it`);
  if (project !== own) throw refusal(`it is for the project '${project}', and this is '${own}'`);
  checkRole(submitter);
}

function checkRole({ name, role }: Submitter): void {
  if (maySubmit(role)) return;
  throw refusal(`'${name}' signed it, who is a ${role}; only researchers and admins submit jobs`);
}

function checkPaths({ files }: BundleManifest): void {
  let before = '';
  for (const { path, to } of files) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw refusal(`its file ${JSON.stringify(path)} is not allowed: ${problem}`);
    if (path <= before) throw refusal(`its files are out of order, or '${path}' is there twice`);
    before = path;
    const site = to.startsWith('site:') ? to.slice('site:'.length) : undefined;
    const isOwn = site === undefined ? path === jobPath && to === 'all' : path === siteConfigPath(site);
    if (!isOwn && (site !== undefined || isReserved(path))) throw refusal(`its file '${path}' is for '${to}'`);
  }
  const problem = pathsProblem(files.map(({ path }) => path));
  if (problem !== undefined) throw refusal(problem);
}

/** Hashes what follows the header. @returns where each file begins. */
async function checkFiles(
  source: BundleSource,
  start: number,
  files: readonly BundleEntry[],
): Promise<ReadonlyMap<string, number>> {
  const places = new Map<string, number>();
  let at = start;
  for (const { path, size } of files) {
    places.set(path, at);
    at += size;
  }
  const size = await sizeOfSource(source);
  if (size !== at) throw refusal(`it has ${size} bytes, but its files need ${at}`);
  for (const { path, size, sha256 } of files) {
    const found = await hashOf(piecesOf(source, places.get(path)!, size));
    if (found.sha256 !== sha256) throw refusal(`its file '${path}' is not the one that was signed`);
  }
  return places;
}

function factsOf(bytes: Uint8Array): JobFacts {
  if (bytes.byteLength > maxJobBytes) throw refusal(`its ${jobPath} has more than ${maxJobBytes} bytes`);
  return parseYaml(bytes, jobFacts, {
    source: jobPath,
    what: 'job',
    hint: 'Submit the job again, with a version that both ends know.',
  });
}

/** The job is the one of the manifest, has its code with it, and nothing of one site lies where others see it. */
function checkJob(facts: JobFacts, { job, files }: BundleManifest, site: string | undefined): void {
  if (facts.name !== job) throw refusal(`its job is '${facts.name}', but '${job}' was signed`);
  if (site !== undefined && !facts.sites.includes(site)) throw refusal(`'${site}' is no site of its job`);
  if (facts.siteConfig !== undefined && Object.keys(facts.siteConfig).length > 0) {
    throw refusal('the configuration of its sites stands where every site sees it');
  }
  const stranger = files.find(({ to }) => to.startsWith('site:') && !facts.sites.includes(to.slice('site:'.length)));
  if (stranger) throw refusal(`its file '${stranger.path}' is for a site that its job does not have`);
}

function refusal(why: string, cause?: unknown): RefusedError {
  return new RefusedError(`The bundle is refused: ${why}.`, {
    hint: 'Submit the job again with `consilium submit`.',
    ...(cause !== undefined && { cause }),
  });
}
