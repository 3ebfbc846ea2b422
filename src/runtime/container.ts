/**
 * The one place where a spec becomes objects: a container for a run and one for each site, with parts under explicit
 * tokens. Everything outside this folder gets what it needs as arguments.
 *
 * @module
 */
import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, container as root } from 'tsyringe';
import type { CaseSource } from '../executors/case-source';
import type { Executor } from '../executors/executor';
import type { ScoreCache } from '../executors/score-cache';
import { createSite, type Site, type SiteFilter, type SiteLedger, type SiteStateStore } from '../executors/site';
import { createFilter } from '../filters/registry';
import type { JobSpec } from '../jobs/job-spec';
import { cryptoNoise } from '../privacy/crypto-noise';
import type { NoiseSource } from '../privacy/noise-source';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { LoaderClient } from './loader/loader-client';
import { trainers } from './parts';
import { siteLedger, siteStateStore } from './site-store';
import type { SlotSetup, SlotSite } from './slot/slot-messages';

/** A token that remembers the type of its part. */
function token<T>(name: string): InjectionToken<T> {
  return Symbol(name);
}

export const tokens = {
  job: token<JobSpec>('job'),
  executor: token<Executor>('executor'),
  filters: token<readonly SiteFilter[]>('filters'),
  store: token<SiteStateStore>('store'),
  ledger: token<SiteLedger>('ledger'),
  noise: token<(round: number) => NoiseSource>('noise'),
} as const;

/** What a site gets from the process that it shares with others. */
interface SharedParts {
  readonly cases: CaseSource;
  readonly scores: ScoreCache;
  readonly write: LoaderClient['write'];
}

/** The container of one site of a run. */
async function siteContainer(setup: SlotSetup, site: SlotSite, shared: SharedParts): Promise<DependencyContainer> {
  const container = root.createChildContainer();
  const { job, sessionThreads, testNoiseSeed } = setup;
  container.register(tokens.job, { useValue: job });
  container.register(tokens.executor, {
    useFactory: () => trainers[job.trainer.kind](job.trainer, { job, site: site.name, sessionThreads, ...shared }),
  });
  container.register(tokens.filters, { useFactory: () => siteFilters(job) });
  container.register(tokens.store, { useFactory: () => siteStateStore(site.folder, shared.write) });
  container.register(tokens.noise, {
    useValue: (round: number) =>
      testNoiseSeed === undefined ? cryptoNoise() : seededTestNoise(testNoiseSeed, `${site.name}/${round}`),
  });
  container.register(tokens.ledger, { useValue: await siteLedger(site.folder, site.name) });
  return container;
}

/** One site of a run with all its parts. */
export async function composeSite(setup: SlotSetup, site: SlotSite, shared: SharedParts): Promise<Site> {
  const container = await siteContainer(setup, site, shared);
  return createSite({
    name: site.name,
    executor: container.resolve(tokens.executor),
    filters: container.resolve(tokens.filters),
    store: container.resolve(tokens.store),
    ledger: container.resolve(tokens.ledger),
    noise: container.resolve(tokens.noise),
  });
}

/** Filters that say nothing about tasks stand on all tasks whose results hold tensors. */
function siteFilters(job: JobSpec): SiteFilter[] {
  return job.filters
    .filter(({ at }) => at === 'site-out')
    .map(({ tasks = ['train'], filter }) => ({ tasks, filter: createFilter(filter) }));
}
