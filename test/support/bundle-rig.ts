/**
 * A federation's kits and a job that is bundled in a folder of its own for each test.
 *
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type JobSpec, parseJob } from '../../src/jobs/job-spec';
import {
  type Bundle,
  bundleForSite,
  createBundle,
  type ReadBundleOptions,
  readBundle,
} from '../../src/runtime/provision/bundle';
import type { Kit } from '../../src/runtime/provision/kit';
import { nodeDisk } from '../../src/util/node-disk';
import { type TestFederation, testFederation } from './federation';

export let federation: TestFederation;
export let ada: Kit;
export let folder: string;
beforeAll(async () => {
  federation = await testFederation();
  ada = await federation.kit('ada');
});
afterAll(() => rm(dirname(federation.out), { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  return () => rm(folder, { recursive: true, force: true });
});

export const input = {
  version: 1,
  name: 'demo_job',
  sites: ['site-1', 'site-2'],
  workflow: { kind: 'fed-avg', rounds: 1, minSites: 2 },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'script', script: './train.js' },
  siteConfig: { 'site-1': { folder: '/secret/one' }, 'site-2': { folder: '/secret/two', text: `\${C}` } },
};

export async function file(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

export async function bundled(job: JobSpec = parseJob(input), more: object = {}) {
  await file('train.js', 'module.exports = 1;\n');
  return createBundle(job, { folder, kit: ada, ...more }, join(folder, 'out', 'job.bundle'), nodeDisk);
}

export const trusting = (purpose: 'server' | string): ReadBundleOptions => ({
  ca: ada.tls.ca,
  project: 'demo',
  now: Date.now(),
  ...(purpose === 'server' ? { purpose } : { purpose: 'site', site: purpose }),
});

export async function atServer(): Promise<Bundle> {
  return readBundle(await readFile((await bundled()).file), trusting('server'));
}

export async function atSite(bundle: Bundle, site = 'site-1'): Promise<Bundle> {
  return readBundle(Buffer.concat(await bundleForSite(bundle, site)), trusting(site));
}
