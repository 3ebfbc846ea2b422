import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobSpec, jobSpecAt, parseJob } from './job-spec';
import { findOwnPart, type OwnPart, ownKinds, registerPart } from './own-part';

const part: OwnPart = {
  slot: 'filter',
  kind: 'ward/clip',
  module: '/parts/clip.ts',
  options: z.strictObject({
    maxNorm: z.number().positive(),
    mode: z.enum(['hard', 'soft']).default('hard'),
    name: z.string().optional(),
  }),
  definition: {},
};
registerPart(part);

const job = (filter: unknown, more: object = {}) => ({
  version: 1,
  name: 'own',
  sites: ['a', 'b'],
  workflow: { kind: 'fed-avg', rounds: 1, minSites: 2 },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'script', script: './client.ts' },
  filters: [{ at: 'site-out', filter }],
  ...more,
});

const filterOf = (filter: unknown) => parseJob(job(filter)).filters[0]!.filter;

describe("a part of the user's own in a job", () => {
  it('has its defaults filled in, and options that are undefined left out', () => {
    const filled = { kind: 'ward/clip', maxNorm: 1, mode: 'hard' };
    expect(filterOf({ kind: 'ward/clip', maxNorm: 1 })).toEqual(filled);
    expect(filterOf({ kind: 'ward/clip', maxNorm: 1, name: undefined })).toEqual(filled);
  });

  it.each([
    ['a wrong value', { maxNorm: -1 }, 'filters.0.filter.maxNorm: found -1. Allowed: a number above 0'],
    ['a missing value', {}, 'filters.0.filter.maxNorm: is missing'],
    ['a misspelt option', { maxNorm: 1, moode: 'soft' }, "Did you mean 'mode'?"],
    ['a misspelt word', { maxNorm: 1, mode: 'sotf' }, "Did you mean 'soft'?"],
  ])('with %s is refused by its own schema, with path and allowed values', (_, options, message) => {
    expect(() => filterOf({ kind: 'ward/clip', ...options })).toThrow(message);
  });

  it('of a kind that nobody loaded is refused; what is loaded is listed, and the nearest named', () => {
    const unknown = () => filterOf({ kind: 'ward/clipp', maxNorm: 1 });
    expect(unknown).toThrow(
      "filters.0.filter.kind: there is no filter 'ward/clipp'; of your own, loaded are ward/clip.",
    );
    expect(unknown).toThrow("Did you mean 'ward/clip'? Built in: svt, svt-nvflare, ");
    expect(unknown).toThrow("allow-metrics. List the file that defines it under 'modules'");
    const none = () => parseJob(job({ kind: 'ward/clip', maxNorm: 1 }, { data: { kind: 'ward/clip' } }));
    expect(none).toThrow("data.kind: there is no data 'ward/clip'; of your own, none is loaded.");
  });

  it.each([
    ['clip', "unknown kind 'clip'. Did you mean 'ward/clip'? Known: svt, "],
    ['svtt', "unknown kind 'svtt'. Did you mean 'svt'? Known: svt, "],
    ['other', "unknown kind 'other'. Known: svt, "],
  ])('is listed where another kind, %s, is unknown', (kind, message) => {
    registerPart(part);
    expect(() => filterOf({ kind })).toThrow(message);
    expect(() => filterOf({ kind })).toThrow('block-metrics, allow-metrics; of your own: ward/clip');
  });

  it('is checked by a schema of another zod too', () => {
    const options = {
      safeParse: () => ({ success: false, error: { issues: [{ path: ['depth', 0], message: 'too deep' }] } }),
    };
    registerPart({ ...part, kind: 'ward/other-zod', options: options as OwnPart['options'] });
    expect(() => filterOf({ kind: 'ward/other-zod' })).toThrow('filters.0.filter.depth.0: too deep');
  });

  it('whose schema gives what a job file cannot hold, or not take in turn, says so', () => {
    const date = z.strictObject({ until: z.string().transform((text) => new Date(text)) });
    registerPart({ ...part, kind: 'ward/date', options: date });
    expect(() => filterOf({ kind: 'ward/date', until: '2026-01-01' })).toThrow(
      'no plain data, which a job file cannot hold',
    );
    const doubled = z.strictObject({ size: z.number().transform((n) => 2 * n) });
    registerPart({ ...part, kind: 'ward/doubled', options: doubled });
    expect(() => filterOf({ kind: 'ward/doubled', size: 1 })).toThrow('leave transformations to create');
  });
});

describe('to define a part', () => {
  it.each(['clip', 'Ward/clip', 'ward/', '/clip', 'a/b/c'])(
    "under the kind '%s' is an error with an example",
    (kind) => {
      const define = () => registerPart({ ...part, kind: kind as OwnPart['kind'] });
      expect(define).toThrow(`'${kind}' cannot be the kind of a filter`);
      expect(define).toThrow(expect.objectContaining({ hint: expect.stringContaining("'my-hospital/") }));
    },
  );

  it('in two files under one kind is an error that names both; the same file may be loaded again', () => {
    registerPart(part);
    const twice = () => registerPart({ ...part, module: '/parts/other.ts' });
    expect(twice).toThrow("Two files define the filter 'ward/clip': /parts/clip.ts and /parts/other.ts.");
    registerPart({ ...part, slot: 'tracker', module: '/parts/other.ts' });
    expect(ownKinds('tracker')).toEqual(['ward/clip']);
  });
});

describe("an aggregator that a workflow of the user's own names", () => {
  it('is checked like that of a built-in workflow', () => {
    registerPart({ ...part, slot: 'workflow', kind: 'ward/flow', options: z.looseObject({}) });
    const flow = (aggregator: object) => () =>
      parseJob({ ...job({}), filters: [], workflow: { kind: 'ward/flow', aggregator } });
    expect(flow({ kind: 'weighted-mean' })).not.toThrow();
    expect(flow({ kind: 'ward/median' })).toThrow("there is no aggregator 'ward/median'");
  });
});

describe('a trainer that wants to know something of each site', () => {
  const wanting = (site: string | undefined, siteConfig: object) => {
    const definition = { siteConfig: z.strictObject({ folder: z.string() }) };
    registerPart({ ...part, slot: 'trainer', kind: 'ward/reader', options: z.looseObject({}), definition });
    const spec = { ...job({}), filters: [], sites: ['site-1', 'site-2'], trainer: { kind: 'ward/reader' }, siteConfig };
    return (site === undefined ? jobSpec : jobSpecAt(site)).safeParse(spec);
  };

  it('is told when it is missing for one of them', () => {
    expect(wanting(undefined, { 'site-1': { folder: '/a' } }).success).toBe(false);
    expect(wanting(undefined, { 'site-1': { folder: '/a' }, 'site-2': { folder: '/b' } }).success).toBe(true);
  });

  it('is told of its own site alone where only that one is known', () => {
    expect(wanting('site-2', { 'site-2': { folder: '/b' } }).success).toBe(true);
    expect(wanting('site-2', {}).error?.issues[0]?.path).toEqual(['siteConfig', 'site-2']);
    expect(wanting('site-2', { 'site-2': { folder: 1 } }).error?.issues[0]?.path).toEqual([
      'siteConfig',
      'site-2',
      'folder',
    ]);
  });
});

it('a copy of the file that defines a part takes its place; another file of that kind is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'consilium-own-part-'));
  try {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const kind = 'ward/copied' as const;
    registerPart({ ...part, kind, module: file('a.ts', 'same'), definition: 1 });
    rmSync(join(folder, 'a.ts')); // Where it was registered from need not be there any more.
    registerPart({ ...part, kind, module: file('b.ts', 'same'), definition: 2 });
    expect(findOwnPart('filter', kind)).toMatchObject({ module: join(folder, 'b.ts'), definition: 2 });
    expect(() => registerPart({ ...part, kind, module: file('c.ts', 'other') })).toThrow(/Two files define the filter/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
