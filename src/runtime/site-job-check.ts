/**
 * What a job would meet at a site: its policy, its data, what its machine has to offer. As the site itself goes about it, so
 * nothing of the job is loaded before the policy has let it in.
 *
 * @module
 */
import { dirname, resolve } from 'node:path';
import type { Variables } from '../jobs/environment-text';
import { readJobFile } from '../jobs/job-file';
import { type JobSpec, siteConfigOf } from '../jobs/job-spec';
import { parseYaml } from '../jobs/read-yaml';
import { maxJobBytes } from '../jobs/yaml-guard';
import { counted } from '../util/counted';
import { nodeDisk } from '../util/node-disk';
import { readBounded } from '../util/read-bounded';
import { sha256Of } from '../util/sha256';
import { judgeContent, judgeSize, type Refusal, refusalHint, refusalReason } from './client/judge-job';
import { type Policy, readPolicy } from './client/policy';
import { checkCode, checkSynthetic, describePrepared, withSettings } from './client/prepare-site-job';
import { dataVariables, imagesAt, judgeData, withSiteData } from './client/site-data';
import { resourcesOf } from './client/site-resources';
import { readSiteSettings, type SiteSettings } from './client/site-settings';
import { checkData } from './data-check';
import { isSynthetic } from './job-data';
import { type Finding, type Found, look } from './machine-check';
import { checkFilters } from './part-check';
import { checkProvider } from './provider-check';
import { sharedFiles } from './provision/bundle-files';
import { type BundleEntry, maxSiteBytes } from './provision/bundle-format';
import { checkSizes } from './provision/create-bundle';
import { type JobFacts, jobFacts } from './provision/job-facts';
import type { Kit } from './provision/kit';
import { resourceFindings } from './resource-check';

/** Who submits it is not known, and what `submit --include` would add is not either. @param kit of a site @param file a job file */
export async function examineJobAtSite({ name: site, files }: Kit, file: string): Promise<readonly Finding[]> {
  const folder = dirname(resolve(file));
  let facts: JobFacts | undefined;
  let code: readonly BundleEntry[] | undefined;
  let job: JobSpec | undefined;
  const findings = [
    await look('job file', async () => {
      facts = await readFacts(file);
      return namesSite(facts, site);
    }),
  ];
  // What is wrong with these two has lines of its own.
  const settings = await readSiteSettings(files.settings!).catch(() => undefined);
  const policy = (await readPolicy(files.policy!).catch(() => undefined))?.policy;
  if (!facts || !settings || !policy) return findings;
  const named = facts;
  findings.push(
    await look('job code', async () => {
      code = await codeOf(named, folder);
      return {
        status: 'ok',
        message: code.length === 0 ? 'none comes with it' : `${counted(code.length, 'file')} of its own`,
      };
    }),
  );
  if (!code) return findings;
  const offered = { facts: named, files: code };
  findings.push(await look('job policy', async () => verdict(judgeContent(policy, offered), policy)));
  findings.push(...unnamedData(named, settings));
  if (findings.some(({ status }) => status === 'problem')) return findings;
  findings.push(
    await look('job at this site', async () => {
      job = await jobFor(site, { file, folder, facts: named, settings });
      return { status: 'ok', message: 'valid with its settings' };
    }),
  );
  return job ? [...findings, ...(await partsFound(job, { site, folder, settings, policy }))] : findings;
}

/** As data: nothing of the job is loaded. */
async function readFacts(file: string): Promise<JobFacts> {
  const bytes = await readBounded(file, maxJobBytes, 'job file');
  const hint = 'Correct the places named above; docs/reference/job.md lists all fields.';
  return parseYaml(bytes, jobFacts, { source: file, what: 'job', hint });
}

function namesSite({ name, sites }: JobFacts, site: string): Found {
  if (sites.includes(site)) return { status: 'ok', message: `${name}: ${counted(sites.length, 'site')}` };
  const some = `${sites.slice(0, 8).join(', ')}${sites.length > 8 ? ', …' : ''}`;
  const hint = `Add '${site}' under sites, or name the kit of one of them with --kit.`;
  return { status: 'problem', message: `${name}: '${site}' is none of its sites, ${some}`, hint };
}

/** The files that would come with the job, as its bundle lists them. @throws ConfigError as `consilium submit` does. */
async function codeOf(facts: JobFacts, folder: string): Promise<readonly BundleEntry[]> {
  const files = await sharedFiles(facts, { folder, include: [], disk: nodeDisk });
  const entries: BundleEntry[] = [];
  for (const { path, to, executable, content } of files) {
    const bytes = await readBounded(content, maxSiteBytes, 'file');
    entries.push({ path, size: bytes.byteLength, sha256: sha256Of(bytes), to, executable });
  }
  checkSizes(entries);
  return entries;
}

function verdict(refusals: readonly Refusal[], { submitters: { names, orgs, roles } }: Policy): Found {
  if (refusals.length > 0) return refused(refusals);
  const who = [names, orgs, roles].flatMap((some) => (some ? [some.join(' or ')] : []));
  return { status: 'ok', message: `lets it in${who.length === 0 ? '' : `, when it comes from ${who.join(', ')}`}` };
}

/** In the words that the submitter would hear. */
function refused(refusals: readonly Refusal[]): Found {
  return { status: 'problem', message: `refused: ${refusalReason(refusals)}`, hint: refusalHint(refusals) };
}

function unnamedData(facts: JobFacts, settings: SiteSettings): readonly Finding[] {
  const [missing] = judgeData(facts, settings);
  if (!missing) return [];
  const { rule, reason, hint } = missing;
  return [{ name: 'job data', status: 'problem', message: `refused: ${rule}: ${reason}`, hint }];
}

interface JobAtSite {
  readonly file: string;
  readonly folder: string;
  readonly facts: JobFacts;
  readonly settings: SiteSettings;
}

/** With the site's own data, engine and configuration in place of the job's. What no site fills in is as who submits has it. */
async function jobFor(site: string, { file, folder, facts, settings }: JobAtSite): Promise<JobSpec> {
  const environment: Variables = { ...process.env, ...dataVariables(facts, settings) };
  const job = await readJobFile(file, { folder, environment, needsFiles: false });
  const siteConfig = Object.hasOwn(job.siteConfig, site) ? { [site]: siteConfigOf(job, site) } : {};
  return withSettings(withSiteData({ ...job, siteConfig }, settings), site, settings);
}

interface SitePlace {
  readonly site: string;
  readonly folder: string;
  readonly settings: SiteSettings;
  readonly policy: Policy;
}

async function partsFound(job: JobSpec, { site, folder, settings, policy }: SitePlace): Promise<readonly Finding[]> {
  return [
    await look('job trainer', async () => {
      checkCode(job, folder);
      return { status: 'ok', message: `'${job.trainer.kind}'` };
    }),
    await look('job filters', async () => {
      checkFilters(job);
      return { status: 'ok', message: job.filters.length === 0 ? 'none' : `${job.filters.length} fit the job` };
    }),
    await look('job limits', async () => {
      checkSynthetic(job.data, policy.limits.syntheticMb);
      const refusals = judgeSize(policy, describePrepared(job, site));
      return refusals.length === 0 ? { status: 'ok', message: 'within those of the policy' } : refused(refusals);
    }),
    ...resourceFindings({ job, offered: resourcesOf(settings), site }),
    await look('job provider', async () => {
      await checkProvider(job);
      return { status: 'ok', message: job.engine.provider };
    }),
    await look('job data', () => dataFound(job, { site, folder, settings })),
  ];
}

async function dataFound(job: JobSpec, { site, folder, settings }: Omit<SitePlace, 'policy'>): Promise<Found> {
  if (isSynthetic(job)) return { status: 'ok', message: 'SYNTHETIC, written when the job runs' };
  const images = imagesAt(job, site, settings, folder);
  const validation = await checkData({ ...job, sites: [site] }, folder, images ? [images] : []);
  if (job.data.kind === 'csv') return { status: 'ok', message: `the table of ${site} is there` };
  if (!images) return { status: 'ok', message: `'${job.data.kind}': the trainer sees to it` };
  const what =
    job.data.kind === 'slices'
      ? `every slice of ${job.data.source} has its partner in ${job.data.target}`
      : 'every listed file is there';
  return { status: 'ok', message: `${what}; ${counted(validation.length, 'validation case')}` };
}
