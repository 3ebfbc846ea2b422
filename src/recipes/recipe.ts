/**
 * Recipes: typed options in, a job out.
 *
 * @module
 */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ConfigError } from '../errors';
import { checkKeys } from '../jobs/check-keys';
import type { Environment, Run, RunOptions } from '../jobs/environment';
import type { Place } from '../jobs/filter-spec';
import { type JobInput, type JobSpec, parseJob } from '../jobs/job-spec';
import { findOwnPart, type PartSlot } from '../jobs/own-part';

type FilterInput = NonNullable<JobInput['filters']>[number]['filter'];

/** What every recipe takes. */
export interface CommonOptions {
  /** Name of the job and of its folder in the workspace. */
  readonly name: string;
  /** Number of sites, named `site-1`, `site-2`, …; or their names. */
  readonly sites: number | readonly string[];
  /** The data of the sites. @default none: the trainer brings its own */
  readonly data?: JobInput['data'];
  /** Filters at the sites and the server, in order. @default none */
  readonly filters?: JobInput['filters'];
  /** By site: plain data that reaches the trainer of that site and nobody else. @default none */
  readonly siteConfig?: JobInput['siteConfig'];
  /** Trackers of your own. @default none */
  readonly trackers?: JobInput['trackers'];
  /** Execution provider and threads of the sessions. @default cpu */
  readonly engine?: JobInput['engine'];
  /** Everything random but privacy noise follows from it. @default 0 */
  readonly seed?: number;
  /** What relative paths of the job start from: `__dirname` of your script, say. @default the working directory */
  readonly folder?: string;
}

/** Where a filter stands. */
export interface FilterPlace {
  readonly at: Place;
  /** @default all tasks */
  readonly tasks?: readonly [string, ...string[]];
  /** @default all sites */
  readonly sites?: readonly [string, ...string[]];
}

/** Typed options compiled to a job. It runs nothing by itself. Abstract: the recipes are its only heirs. */
export abstract class Recipe {
  readonly #name: string;
  readonly #folder: string;
  #job: JobSpec;

  /** @throws ConfigError naming each wrong option. */
  protected constructor(input: Readonly<Record<string, unknown>>, name: string, folder: string = process.cwd()) {
    this.#name = name;
    this.#folder = resolve(folder);
    this.#job = this.#compile(input);
  }

  /** The job, checked and with all defaults filled in. */
  get job(): JobSpec {
    return this.#job;
  }

  /** What relative paths of the job start from. */
  get folder(): string {
    return this.#folder;
  }

  /** Adds a filter behind those that stand there. @throws ConfigError when it does not fit the job. */
  addFilter(place: FilterPlace, filter: FilterInput): this {
    checkKeys('The place of a filter', place, ['at', 'tasks', 'sites']);
    const { at, tasks, sites } = place;
    const placement = { at, ...(tasks && { tasks: [...tasks] }), ...(sites && { sites: [...sites] }), filter };
    this.#job = this.#compile({ ...this.#job, filters: [...this.#job.filters, placement] });
    return this;
  }

  /** Adds a tracker of your own. */
  addTracker(tracker: JobSpec['trackers'][number]): this {
    this.#job = this.#compile({ ...this.#job, trackers: [...this.#job.trackers, tracker] });
    return this;
  }

  /** Starts the job on an environment and returns at once. */
  execute(environment: Environment, options: Pick<RunOptions, 'signal'> = {}): Run {
    return environment.run(this.#job, { folder: this.#folder, ...options });
  }

  #compile(input: Readonly<Record<string, unknown>>): JobSpec {
    const job = parseJob(input, this.#name);
    const modules = [...new Set([...job.modules, ...ownModules(job).map((file) => this.#relative(file))])];
    return { ...job, modules };
  }

  /** A path as the job states it: from the job's folder on, so that a project can be moved and its jobs stay the same. */
  #relative(file: string): string {
    const path = relative(this.#folder, file);
    if (isAbsolute(path)) return file; // On another drive.
    const slashes = path.split(sep).join('/');
    return slashes.startsWith('..') ? slashes : `./${slashes}`;
  }
}

/** The files that define the job's own parts. */
function ownModules(job: JobSpec): string[] {
  const named: [PartSlot, string][] = [
    ['workflow', job.workflow.kind],
    ['model', job.model.kind],
    ['trainer', job.trainer.kind],
    ['data', job.data.kind],
    ...job.filters.map(({ filter }): [PartSlot, string] => ['filter', filter.kind]),
    ...job.trackers.map(({ kind }): [PartSlot, string] => ['tracker', kind]),
  ];
  if ('aggregator' in job.workflow && typeof job.workflow.aggregator === 'object' && job.workflow.aggregator) {
    named.push(['aggregator', String((job.workflow.aggregator as { kind?: unknown }).kind)]);
  }
  return named.flatMap(([slot, kind]) => findOwnPart(slot, kind)?.module ?? []);
}

/** The job's fields that all recipes fill alike. */
export function commonInput(options: CommonOptions): Record<string, unknown> {
  const { name, data, filters, siteConfig, trackers, engine, seed } = options;
  return {
    version: 1,
    name,
    sites: sitesOf(options.sites),
    ...(data !== undefined && { data }),
    ...(filters !== undefined && { filters }),
    ...(siteConfig !== undefined && { siteConfig }),
    ...(trackers !== undefined && { trackers }),
    ...(engine !== undefined && { engine }),
    ...(seed !== undefined && { seed }),
  };
}

/** The names of the sites: as given, or `site-1` … `site-n`. */
export function sitesOf(sites: number | readonly string[]): string[] {
  if (Array.isArray(sites)) return [...sites];
  if (typeof sites === 'number' && Number.isInteger(sites) && sites >= 1 && sites <= mostSites) {
    return Array.from({ length: sites }, (_, i) => `site-${i + 1}`);
  }
  throw new ConfigError(
    `sites must be a whole number from 1 to ${mostSites}, or a list of names, but is ${JSON.stringify(sites)}.`,
  );
}

/** As many as a job may have. */
const mostSites = 10_000;
