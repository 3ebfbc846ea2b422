import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineTrainer } from '../runtime/define-part';
import { parseJob } from './job-spec';

const trainer = defineTrainer({
  module: __filename,
  kind: 'test/of-slices',
  options: z.strictObject({}),
  create: () => ({ train: () => Promise.reject(new Error('never trained')) }),
});

const job = (data: object, sites = ['site-1', 'site-2'], kind: object = trainer()) =>
  parseJob({
    version: 1,
    name: 'j',
    sites,
    workflow: { kind: 'fed-avg', rounds: 1, minSites: 1 },
    model: { kind: 'tensors', tensors: { w: [1] } },
    trainer: kind,
    data,
    modules: [__filename],
  });
const phantom = { kind: 'multi-contrast-phantom', sites: 6 };
const files = { kind: 'slices', path: 'data/{site}' };

describe('data in slices', () => {
  it('go from T1 to T2 by default, each slice by its largest, and not kept in memory when they are real', () => {
    expect(job(files).data).toMatchObject({ source: 't1', target: 't2', normalisation: 'slice-max', cacheRate: 0 });
    expect(job(phantom).data).toMatchObject({ patientsPerSite: 10, shape: [64, 64, 24], cacheRate: 1 });
  });

  it('of the phantom have FLAIR at the first four of six sites, and T1 and T2 at all', () => {
    const all = [1, 2, 3, 4, 5, 6].map((i) => `site-${i}`);
    expect(() => job(phantom, all)).not.toThrow();
    expect(() => job({ ...phantom, target: 'flair' }, all.slice(0, 4))).not.toThrow();
    expect(() => job({ ...phantom, target: 'flair' }, all)).toThrow("'site-5' of the synthetic data has no FLAIR");
    expect(() => job({ ...phantom, source: 'flair', centralized: true }, ['site-1'])).not.toThrow();
  });

  it.each([
    ['the same contrast twice', { ...files, source: 't2' }, "data.target: source and target are both 't2'"],
    ['a contrast that there is none of', { ...files, target: 'pd' }, 'data.target'],
    ['sites that the phantom does not have', { ...phantom, sites: 1 }, "but none for 'site-2'"],
    [
      'the folders of all sites but no place for their names',
      { ...files, path: 'data', centralized: true },
      'data.path',
    ],
    ['a part of a name as that place', { ...files, path: 'data/x{site}', centralized: true }, 'data.path'],
    ['two such places', { ...files, path: '{site}/{site}', centralized: true }, 'data.path'],
  ])('with %s are refused', (_, data, message) => {
    expect(() => job(data)).toThrow(message);
  });

  it('may have folders below those of the sites, and variables that a site fills in', () => {
    expect(() => job({ ...files, path: `\${DATA}/{site}/slices`, centralized: true })).not.toThrow();
  });

  it.each([
    [{ kind: 'segmentation', roi: [16, 16, 16], inferRoi: [16, 16, 16] }, "'segmentation' does not take slices"],
    [{ kind: 'command', command: ['train'] }, "the 'command' trainer reads its own data"],
  ])('are not for the trainer %o', (kind, message) => {
    expect(() => job(files, ['site-1'], kind)).toThrow(message);
  });
});
