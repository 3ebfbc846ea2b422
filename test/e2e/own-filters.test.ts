import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FedAvgRecipe, type FedAvgRecipeOptions, type FilterPlace, type RunEvent, SimEnv } from '../../src';
import { places } from '../../src/jobs/filter-spec';
import { block, charge, mark, scribble, teller } from '../support/parts/marks';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-filters-'));
afterAll(() => rmSync(workspace, { recursive: true }));

const sites = ['site-1', 'site-2', 'site-3'] as const;

function recipe(name: string, options: Partial<FedAvgRecipeOptions> = {}): FedAvgRecipe {
  return new FedAvgRecipe({
    name,
    sites: [...sites],
    rounds: 2,
    model: { kind: 'tensors', tensors: { w: [2] } },
    trainer: teller({}),
    keyMetric: 'received',
    ...options,
  });
}

const run = (job: FedAvgRecipe, threads = 1) => job.execute(new SimEnv({ workspace, threads })).result();

describe('filters at every place, for all and for some tasks and sites', () => {
  const taskChoices = [undefined, ['train'], ['validate'], ['train', 'validate']] as const;
  const siteChoices = [undefined, ['site-2'], ['site-1', 'site-3']] as const;
  const placements = places.flatMap((at) =>
    taskChoices.flatMap((tasks) =>
      siteChoices.map((some) => ({ at, ...(tasks && { tasks }), ...(some && { sites: some }) }) as FilterPlace),
    ),
  );
  const isModel = ({ at }: FilterPlace) => at === 'server-out' || at === 'site-in';
  const onModels = placements.filter(isModel);
  const onAnswers = placements.filter((placement) => !isModel(placement));
  const meets = ({ tasks, sites: some }: FilterPlace, task: string, site: string) =>
    (tasks?.includes(task) ?? true) && (some?.includes(site) ?? true);

  it.each([1, 3])('each acts on exactly what it is placed for, with %i slots', async (threads) => {
    const job = recipe(`marks-${threads}`);
    // Every filter on models adds a power of two of its own, so the sum that a site received says which ones acted.
    for (const [i, placement] of onModels.entries()) job.addFilter(placement, mark({ add: 2 ** i }));
    for (const [i, placement] of onAnswers.entries()) job.addFilter(placement, mark({ metric: `mark-${i}` }));
    const { history } = await run(job, threads);
    expect(history.map(({ final }) => final)).toEqual([false, false, true]);
    for (const { final, sites: answers } of history) {
      const task = final ? 'validate' : 'train';
      for (const { name, metrics } of answers) {
        const acted = [...onModels.keys()].filter((i) => Math.floor(metrics!.received! / 2 ** i) % 2 === 1);
        expect(acted.map((i) => onModels[i])).toEqual(onModels.filter((one) => meets(one, task, name)));
        const marked = onAnswers.filter((_, i) => metrics![`mark-${i}`] === 1);
        expect(marked).toEqual(onAnswers.filter((one) => meets(one, task, name)));
      }
    }
  });

  it('act in the order in which they were added', async () => {
    const job = recipe('order')
      .addFilter({ at: 'site-in' }, mark({ add: 5 }))
      .addFilter({ at: 'site-in' }, scribble());
    expect((await run(job)).final.metrics.received).toBe(7);
    const turned = recipe('turned')
      .addFilter({ at: 'site-in' }, scribble())
      .addFilter({ at: 'site-in' }, mark({ add: 5 }));
    expect((await run(turned)).final.metrics.received).toBe(12);
  });

  it.each(['server-out', 'site-in'] as const)('that change a model in place at %s reach no other site', async (at) => {
    const job = recipe(`scribble-${at}`).addFilter({ at, sites: ['site-1'] }, scribble());
    const { history } = await run(job, 1);
    for (const round of history) expect(round.sites.map(({ metrics }) => metrics!.received)).toEqual([7, 0, 0]);
  });
});

describe('a filter that blocks', () => {
  it.each(places)('at %s fails the sites it stands for, and no other', async (at) => {
    const job = recipe(`block-${at}`, { minSites: 2 }).addFilter({ at, sites: ['site-2'] }, block());
    const { history } = await run(job);
    for (const round of history) {
      expect(round.sites.map(({ status }) => status)).toEqual(['ok', 'failed', 'ok']);
      // What a site's own filter said stays in the site's log.
      expect(round.sites[1]!.reason).toContain(at.startsWith('server') ? 'too few cases' : 'FilterBlockedError');
    }
  });

  it('at all sites ends the run with what it said', async () => {
    const failed = run(recipe('all-blocked').addFilter({ at: 'site-out' }, block()));
    await expect(failed).rejects.toMatchObject({ tag: 'QuorumError', cause: { message: 'too few cases' } });
  });
});

describe("what the server's filters cost", () => {
  it('is on disk, and in the account of every answer that it touched', async () => {
    const job = recipe('costs')
      .addFilter({ at: 'server-out', tasks: ['train'] }, charge({ epsilon: 1 }))
      .addFilter({ at: 'server-in', tasks: ['train'], sites: ['site-3'] }, charge({ epsilon: 2 }))
      .addFilter({ at: 'site-out', tasks: ['train'], sites: ['site-1'] }, charge({ epsilon: 4 }));
    const started = job.execute(new SimEnv({ workspace, threads: 1 }));
    const costs: string[] = [];
    for await (const event of started.events()) {
      if (event.kind !== 'privacy') continue;
      costs.push(`${event.round} ${event.site} ${event.costs.map(({ epsilon }) => epsilon).join('+')}`);
    }
    const { folder, files } = await started.result();
    expect(costs).toEqual([
      ...['0 site-1 4+1', '0 site-2 1', '0 site-3 1+2'],
      ...['1 site-1 4+1', '1 site-2 1', '1 site-3 1+2'],
    ]);
    const server = lines(join(folder, 'server', 'simulate_job', 'server_filters', 'privacy', 'ledger.jsonl'));
    expect(server).toHaveLength(4); // One model and one answer a round.
    expect(lines(join(folder, 'site-1', 'simulate_job', 'privacy', 'ledger.jsonl'))).toHaveLength(2);
    expect(existsSync(join(folder, 'site-2', 'simulate_job', 'privacy'))).toBe(false);
    expect(lines(files.privacy_ledger!)).toHaveLength(10);
  });
});

describe('settings of a site', () => {
  it('reach that site and nobody else, and null where there are none', async () => {
    const { history } = await run(recipe('config', { siteConfig: { 'site-1': 11, 'site-3': 33 } }));
    for (const round of history) {
      expect(round.sites.map(({ metrics }) => metrics!.config)).toEqual([11, null, 33]);
    }
  });
});

describe('a model that training code changes in place', () => {
  it('is its own: the difference is what was changed, and no other site starts from it', async () => {
    const { final, history } = await run(recipe('in-place', { trainer: teller({ step: 1 }) }), 1);
    expect(history[1]!.sites.map(({ metrics }) => metrics!.received)).toEqual([1, 1, 1]);
    expect(final.metrics.received).toBe(2);
  });
});

describe('the events of a run', () => {
  it('come in order: joined, then for each round its start, progress, metrics and end, and done', async () => {
    const started = recipe('events', { trainer: teller({ progress: 3 }) }).execute(
      new SimEnv({ workspace, threads: 1 }),
    );
    const events: RunEvent[] = [];
    for await (const event of started.events()) events.push(event);
    await started.result();
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'log');
    expect(kinds.slice(0, 5)).toEqual(['started', 'site-joined', 'site-joined', 'site-joined', 'round-started']);
    expect(kinds.at(-1)).toBe('done');
    for (const [name, round] of [
      ['train', 0],
      ['train', 1],
      ['validate', 2],
    ] as const) {
      const of = events.filter((event) => 'round' in event && event.round === round).map(({ kind }) => kind);
      const progress = Array<string>(name === 'train' ? 9 : 0).fill('progress');
      expect(of).toEqual(['round-started', ...progress, 'metrics', 'metrics', 'metrics', 'round-finished']);
    }
    const logs = events.flatMap((event) => (event.kind === 'log' && event.site === 'site-2' ? event.message : []));
    expect(logs).toEqual(['events site-2 0 0 null', 'events site-2 0 1 null']);
  });
});

describe('a run with a signal', () => {
  it('ends when the signal says so, and not at all for a signal that comes too late', async () => {
    const stop = new AbortController();
    const environment = new SimEnv({ workspace, threads: 1 });
    const started = recipe('stopped', { trainer: teller({ progress: 1000 }) }).execute(environment, {
      signal: stop.signal,
    });
    for await (const event of started.events()) if (event.kind === 'progress') stop.abort();
    await expect(started.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    expect(started.status()).toBe('aborted');

    const late = new AbortController();
    const finished = recipe('finished').execute(environment, { signal: late.signal });
    await finished.result();
    late.abort();
    expect(finished.status()).toBe('finished');
  });

  it('that was aborted before never asks a site', async () => {
    const started = recipe('never').execute(new SimEnv({ workspace, threads: 1 }), { signal: AbortSignal.abort() });
    await expect(started.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    const kinds: string[] = [];
    for await (const event of started.events()) kinds.push(event.kind);
    expect(kinds).not.toContain('round-finished');
  });
});

function lines(file: string): readonly string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}
