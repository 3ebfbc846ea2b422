import { describe, expect, it } from 'vitest';
import { type JobInput, parseJob } from '../../jobs/job-spec';
import { jobFacts } from '../provision/job-facts';
import { dataVariables, imagesAt, judgeData, withSiteData } from './site-data';
import { parseSiteSettings } from './site-settings';

const settings = (text = '') => parseSiteSettings(Buffer.from(text), '/kit/site.yaml');
const factsOf = (data: object) =>
  jobFacts.parse({ name: 'j', sites: ['a'], workflow: { kind: 'fed-avg' }, trainer: { kind: 'segmentation' }, data });
const reasonOf = (data: object, text = '') => judgeData(factsOf(data), settings(text)).map(({ reason }) => reason)[0];

const mapped = 'data: { brats18: { baseDir: brats, datalist: /lists/mine.json } }';
const brats = { kind: 'brats18', baseDir: '/home/ada/brats', datalistDir: '/home/ada/lists' };

describe("a job's own paths", () => {
  it.each([
    ['a folder', brats],
    ['a file of the machine', { kind: 'csv', path: '/etc/passwd' }],
    ['a variable that is a part of a name only', { kind: 'csv', path: `\${HOME}x/table.csv` }],
    ['a variable behind something else', { kind: 'csv', path: `/etc/\${HOME}` }],
    ['an escaped variable', { kind: 'csv', path: `$\${HOME}` }],
    ['a second variable', { kind: 'csv', path: `\${HOME}/\${HOME}` }],
    ['slices', { kind: 'slices', path: '/etc/{site}' }],
    ['no text at all', { kind: 'csv', path: 7 }],
  ])('are not read: %s', (_, data) => {
    const reason = reasonOf(data, 'variables: { HOME: /home/site }');
    expect(reason).toMatch(/^this site has named no data of kind '(brats18|csv|slices)'/);
    expect(reason).not.toMatch(/ada|etc|home/);
  });

  it('under a variable of the site are, unless they lead out of it or the site has not set it', () => {
    const table = (path: string) => reasonOf({ kind: 'csv', path }, 'variables: { TABLES: /data/tables }');
    expect(table(`\${TABLES}`)).toBeUndefined();
    expect(table(`\${TABLES}/lab/{site}.csv`)).toBeUndefined();
    expect(table(`\${TABLES}/../secret.csv`)).toBe('data.path leads out of the folder of its variable');
    expect(table(`\${TABLES}\\..\\secret.csv`)).toBe('data.path leads out of the folder of its variable');
    expect(table(`\${OTHER}/x.csv`)).toBe('this site has set no variable OTHER');
    expect(table(`\${toString}/x.csv`)).toBe('this site has set no variable toString');
  });
});

describe('data that the site has named', () => {
  const job = (data: JobInput['data']) =>
    parseJob({
      version: 1,
      name: 'j',
      sites: ['ward-7'],
      workflow: { kind: 'fed-avg', rounds: 1, minSites: 1 },
      model: { kind: 'segresnet' },
      trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [16, 16, 16] },
      data,
    });

  it('stand in place of all that the job says of them', () => {
    expect(reasonOf(brats, mapped)).toBeUndefined();
    const here = withSiteData(job(brats as JobInput['data']), settings(mapped));
    expect(here.data).toMatchObject({ kind: 'brats18', baseDir: '/kit/brats', datalistDir: '/lists', cacheRate: 0 });
    expect(imagesAt(here, 'ward-7', settings(mapped), '/job')).toEqual({
      baseDir: '/kit/brats',
      datalist: '/lists/mine.json',
    });
  });

  it('need none of the variables that the job uses', () => {
    const facts = factsOf({ kind: 'brats18', baseDir: `\${A}/\${B}`, datalistDir: `\${C}` });
    const variables = dataVariables(facts, settings(`${mapped}\nvariables: { B: /b }`));
    expect(Object.keys(variables).sort()).toEqual(['A', 'B', 'C']);
    expect(variables.B).toBe('/b');
    expect(dataVariables(facts, settings('variables: { B: /b }'))).toEqual({ B: '/b' });
  });

  it('are synthetic ones in the workspace of the site', () => {
    const phantom = job({ kind: 'brats18-phantom', sites: 1, centralized: true });
    expect(reasonOf({ kind: 'brats18-phantom' })).toBeUndefined();
    expect(imagesAt(phantom, 'ward-7', settings(), '/job')).toMatchObject({
      baseDir: expect.stringMatching(/^\/kit\/workspace\/data\/brats18-phantom-/),
    });
  });
});

describe('settings of a site', () => {
  it('may be empty; mistakes are told with their place', () => {
    expect(settings()).toMatchObject({ workspace: '/kit/workspace', slots: 1, shutdownSeconds: 10, data: {} });
    expect(() => settings('slot: 2\ndata: { brats19: {} }\n')).toThrow(/site\.yaml:1:1: slot: unknown key.*slots/);
    expect(() => settings('provider: tpu')).toThrow(/provider: .*cpu, webgpu, cuda/);
  });
});
