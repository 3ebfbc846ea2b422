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
import { createSite, type Site, type SiteLedger, type SiteStateStore } from '../executors/site';
import type { SliceSource } from '../executors/slice-source';
import { filtersAt, type PlacedFilter } from '../filters/placed-filter';
import { type JobSpec, siteConfigOf } from '../jobs/job-spec';
import type { NoiseSource } from '../privacy/noise-source';
import type { FeatureSource } from '../statistics/feature-source';
import type { LoaderClient } from './loader/loader-client';
import { noiseOf } from './noise';
import { createExecutor } from './parts';
import { siteLedger } from './site-ledger';
import { siteStateStore } from './site-store';
import type { SlotSetup, SlotSite } from './slot/slot-messages';

/** A token that remembers the type of its part. */
function token<T>(name: string): InjectionToken<T> {
  return Symbol(name);
}

export const tokens = {
  job: token<JobSpec>('job'),
  executor: token<Executor>('executor'),
  filtersIn: token<readonly PlacedFilter[]>('filters in'),
  filtersOut: token<readonly PlacedFilter[]>('filters out'),
  store: token<SiteStateStore>('store'),
  ledger: token<SiteLedger>('ledger'),
  noise: token<(round: number) => NoiseSource>('noise'),
} as const;

/** What a site gets from the process that it shares with others. */
interface SharedParts {
  readonly cases: CaseSource | undefined;
  readonly slices: SliceSource | undefined;
  readonly features: FeatureSource | undefined;
  readonly scores: ScoreCache;
  readonly write: LoaderClient['write'];
  readonly log: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** The container of one site of a run. */
async function siteContainer(setup: SlotSetup, site: SlotSite, shared: SharedParts): Promise<DependencyContainer> {
  const container = root.createChildContainer();
  const { job, folder, sessionThreads, testNoiseSeed } = setup;
  const config = siteConfigOf(job, site.name);
  container.register(tokens.job, { useValue: job });
  const noise = noiseOf(testNoiseSeed, site.name);
  container.register(tokens.executor, {
    useFactory: () => createExecutor({ job, folder, config, site: site.name, sessionThreads, noise, ...shared }),
  });
  container.register(tokens.filtersIn, { useFactory: () => filtersAt(job.filters, 'site-in') });
  container.register(tokens.filtersOut, { useFactory: () => filtersAt(job.filters, 'site-out') });
  container.register(tokens.store, { useFactory: () => siteStateStore(site.folder, shared.write, shared) });
  container.register(tokens.noise, { useValue: noise });
  container.register(tokens.ledger, { useValue: await siteLedger(site.folder, site.name) });
  return container;
}

/** One site of a run with all its parts. */
export async function composeSite(setup: SlotSetup, site: SlotSite, shared: SharedParts): Promise<Site> {
  const container = await siteContainer(setup, site, shared);
  return createSite({
    name: site.name,
    executor: container.resolve(tokens.executor),
    filtersIn: container.resolve(tokens.filtersIn),
    filtersOut: container.resolve(tokens.filtersOut),
    store: container.resolve(tokens.store),
    ledger: container.resolve(tokens.ledger),
    noise: container.resolve(tokens.noise),
  });
}
