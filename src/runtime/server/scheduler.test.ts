import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan, type WaitingJob } from './scheduler';

const job = (id: string, more: Partial<WaitingJob> = {}): WaitingJob => ({
  id,
  sites: ['a', 'b'],
  minSites: 2,
  resources: { memoryMb: 0, gpus: 0 },
  withdrawn: {},
  ...more,
});
const site = (slots: number, memoryMb = 0, gpus = 0) => ({ slots, memoryMb, gpus });
const at = (sites: Record<string, ReturnType<typeof site>>) => (name: string) => sites[name];
const roomy = at({ a: site(9), b: site(9), c: site(9) });
const planned = (queued: WaitingJob[], more: Partial<Parameters<typeof plan>[0]> = {}) => {
  const { start, wait } = plan({ queued, running: [], maxJobs: 9, siteOf: roomy, ...more });
  return { start, wait: Object.fromEntries(wait) };
};

describe('the plan of a server', () => {
  it('starts jobs in their order until the server is full', () => {
    expect(planned([job('1'), job('2'), job('3')], { maxJobs: 3, running: [job('0')] })).toEqual({
      start: ['1', '2'],
      wait: { 3: { code: 'server-full', running: 3, maxJobs: 3 } },
    });
  });

  it('waits until as many sites are connected as a round needs, and names those that are not', () => {
    const sites = ['a', 'b', 'd', 'e'];
    expect(planned([job('1', { sites, minSites: 3 })]).wait).toEqual({
      1: { code: 'sites-missing', needed: 3, connected: 2, missing: ['d', 'e'] },
    });
    expect(planned([job('1', { sites, minSites: 2 })]).start).toEqual(['1']);
  });

  it('starts no more jobs at a site than it has slots, memory and GPUs for', () => {
    const siteOf = at({ a: site(2, 1000, 1), b: site(2, 1000, 1) });
    const heavy = { memoryMb: 600, gpus: 0 };
    expect(planned([job('1'), job('2'), job('3')], { siteOf }).wait).toEqual({
      3: { code: 'site-busy', site: 'a', what: 'slots' },
    });
    expect(planned([job('1', { resources: heavy }), job('2', { resources: heavy })], { siteOf }).wait).toEqual({
      2: { code: 'site-busy', site: 'a', what: 'memoryMb' },
    });
    const gpu = { memoryMb: 0, gpus: 1 };
    expect(planned([job('1', { resources: gpu }), job('2', { resources: gpu })], { siteOf }).wait).toEqual({
      2: { code: 'site-busy', site: 'a', what: 'gpus' },
    });
  });

  it('says when a site can never hold a job, and lets others go before it', () => {
    const siteOf = at({ a: site(2, 500), b: site(2, 500) });
    expect(planned([job('1', { resources: { memoryMb: 600, gpus: 0 } }), job('2')], { siteOf })).toEqual({
      start: ['2'],
      wait: { 1: { code: 'site-too-small', site: 'a', what: 'memoryMb', needs: 600, has: 500 } },
    });
  });

  it('lets no later job overtake one that waits for room at the same site, and others pass', () => {
    const siteOf = at({ a: site(1), b: site(1), c: site(1) });
    const queued = [job('1'), job('2', { sites: ['b'], minSites: 1 }), job('3', { sites: ['c'], minSites: 1 })];
    const running = [job('0', { sites: ['a'], minSites: 1 })];
    expect(planned(queued, { siteOf, running })).toEqual({
      start: ['3'],
      wait: { 1: { code: 'site-busy', site: 'a', what: 'slots' }, 2: { code: 'behind', job: '1' } },
    });
  });

  it('does not count the part of a site that was withdrawn', () => {
    const siteOf = at({ a: site(1), b: site(1) });
    const running = [job('0', { withdrawn: { a: 'by keeper' } })];
    expect(planned([job('1', { sites: ['a'], minSites: 1 })], { siteOf, running }).start).toEqual(['1']);
    expect(planned([job('1', { withdrawn: { a: 'by keeper' } })]).wait[1]).toMatchObject({
      code: 'sites-missing',
      connected: 1,
    });
  });

  it('never exceeds what there is, and gives every job that does not start a reason', () => {
    const names = ['a', 'b', 'c', 'd'];
    const anyJob = fc.record({
      sites: fc.subarray(names, { minLength: 1 }),
      minSites: fc.integer({ min: 1, max: 2 }),
      resources: fc.record({ memoryMb: fc.integer({ min: 0, max: 3 }), gpus: fc.integer({ min: 0, max: 1 }) }),
    });
    const anySite = fc.option(
      fc.record({
        slots: fc.integer({ min: 0, max: 3 }),
        memoryMb: fc.integer({ min: 0, max: 4 }),
        gpus: fc.integer({ min: 0, max: 2 }),
      }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.array(anyJob, { maxLength: 8 }),
        fc.array(anySite, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (jobs, offers, maxJobs) => {
          const queued = jobs.map((one, i) => job(String(i), one));
          const siteOf = (name: string) => offers[names.indexOf(name)];
          const { start, wait } = plan({ queued, running: [], maxJobs, siteOf });
          expect([...start, ...wait.keys()].sort()).toEqual(queued.map(({ id }) => id).sort());
          expect(start.length).toBeLessThanOrEqual(maxJobs);
          for (const [i, offer] of offers.entries()) {
            const there = queued.filter(({ id, sites }) => start.includes(id) && sites.includes(names[i]!));
            if (!offer) continue;
            expect(there.length).toBeLessThanOrEqual(offer.slots);
            for (const kind of ['memoryMb', 'gpus'] as const) {
              expect(there.reduce((sum, { resources }) => sum + resources[kind], 0)).toBeLessThanOrEqual(offer[kind]);
            }
          }
        },
      ),
    );
  });
});
