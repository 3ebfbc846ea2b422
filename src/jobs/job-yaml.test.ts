import { describe, expect, it } from 'vitest';
import { isConsiliumError } from '../errors';
import { jobFromYaml, jobToYaml } from './job-yaml';

const valid = `version: 1
name: demo
sites: [site-1, site-2]
workflow:
  kind: fed-avg
  rounds: 3
  minSites: 2
model:
  kind: segresnet
trainer:
  kind: segmentation
  roi: [32, 32, 32]
  inferRoi: [64, 64, 32]
data:
  kind: brats18
  baseDir: /data
  datalistDir: /data/lists
filters:
  - at: site-out
    tasks: [train]
    filter: {kind: svt, fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 0.0001}
`;

/** The message of the refusal, which has to come within a second of computing, as an error for the user. */
function refusal(text: string | Uint8Array, environment = {}): string {
  const start = process.cpuUsage();
  try {
    jobFromYaml(text, 'job.yaml', { environment });
  } catch (error) {
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
    expect(isConsiliumError(error, 'ConfigError') && error.hint, String(error)).toBeTruthy();
    return (error as Error).message;
  }
  throw new Error('The job was accepted.');
}

/** The valid job with one piece of its text replaced. */
function changed(piece: string, by: string): string {
  expect(valid).toContain(piece);
  return valid.replace(piece, () => by);
}

describe('a job file', () => {
  it('is read, with or without byte order mark, with either line end, as text or bytes', () => {
    const job = jobFromYaml(valid);
    expect(job.workflow).toMatchObject({ kind: 'fed-avg', rounds: 3 });
    for (const text of [`\ufeff${valid}`, valid.replaceAll('\n', '\r\n'), `---\n${valid}...\n`]) {
      expect(jobFromYaml(text)).toEqual(job);
      expect(jobFromYaml(Buffer.from(text))).toEqual(job);
    }
  });

  it('lists all its problems in the order of the file, each with line, column, path, what came and what is allowed', () => {
    const text = `version: 1
nme: x
sites: [site-1, Site-2]
workflow:
  kind: fed-avg
  rouns: 3
  minSites: "10"
model: {kind: segresnte}
trainer:
  kind: segmentation
  roi: [8, 8]
  inferRoi: [8, 8, 1.5]
  transfer: weight-dif
data: {knd: brats18}
`;
    expect(refusal(text).split('\n')).toEqual([
      'job.yaml is not a valid job, 9 problems:',
      expect.stringMatching(
        /^ {2}job\.yaml:2:1: nme: unknown key\. Did you mean 'name'\? Known here: version, name, seed/,
      ),
      "  job.yaml:3:17: sites.1: found 'Site-2'. Allowed: lower-case letters, digits and dashes, at most 63",
      expect.stringMatching(
        /^ {2}job\.yaml:6:3: workflow\.rouns: unknown key\. Did you mean 'rounds'\? Known here: kind, /,
      ),
      '  job.yaml:7:13: workflow.minSites: found "10". Allowed: a whole number above 0',
      expect.stringMatching(
        /^ {2}job\.yaml:8:15: model\.kind: unknown kind 'segresnte'\. Did you mean 'segresnet'\? Known: /,
      ),
      '  job.yaml:11:8: trainer.roi: found [8,8]. Allowed: a list of 3, each a whole number above 0',
      '  job.yaml:12:20: trainer.inferRoi.2: found 1.5. Allowed: a whole number above 0',
      "  job.yaml:13:13: trainer.transfer: found 'weight-dif'. Did you mean 'weight-diff'? Allowed: one of 'weight-diff', 'weights'",
      expect.stringMatching(
        /^ {2}job\.yaml:14:8: data\.knd: unknown key\. Did you mean 'kind'\? Known: .*brats18, brats18-phantom/,
      ),
    ]);
  });

  it.each(['0', '-1', '1.5', '.nan', '.inf', '"10"', '1e400', '9007199254740993', 'null', '[]', 'true', '{}'])(
    'with %s rounds is refused where they stand',
    (rounds) => {
      const message = refusal(changed('rounds: 3', `rounds: ${rounds}`));
      expect(message).toMatch(/^ {2}job\.yaml:6:11: /m);
      if (rounds !== '{}') expect(message).toContain(rounds);
    },
  );

  it.each([
    ['an unknown key', changed('rounds: 3', 'rounds: 3\n  epochz: 1'), ':7:3: workflow.epochz: unknown key'],
    [
      'a misspelt required key',
      changed('rounds: 3', 'round: 3'),
      ":6:3: workflow.round: unknown key. Did you mean 'rounds'?",
    ],
    ['a key in the style of others', changed('minSites: 2', 'min_sites: 2'), "Did you mean 'minSites'?"],
    [
      'a missing key',
      changed('  rounds: 3\n', ''),
      ':4:1: workflow.rounds: is missing. Allowed: a whole number above 0',
    ],
    [
      'a missing part',
      changed('model:\n  kind: segresnet\n', 'model:\n'),
      ':8:7: model: found null. Allowed: a mapping with a kind: segresnet, ',
    ],
    ['a missing kind', changed('kind: segresnet', 'initFilters: 8'), ':8:1: model.kind: is missing. Known: segresnet'],
    [
      'an unknown kind',
      changed('kind: svt', 'kind: svtt'),
      ":21:20: filters.0.filter.kind: unknown kind 'svtt'. Did you mean 'svt'?",
    ],
    ['a kind that is a list', changed('kind: svt', 'kind: [[svt]]'), ': unknown kind a list.'],
    [
      'a wrong option of a kind',
      changed('kind: segresnet', 'kind: segresnet\n  blocksDown: [1, x]'),
      ":10:19: model.blocksDown.1: found 'x'",
    ],
    ['a filter option out of range', changed('fraction: 0.9', 'fraction: 2'), ':21:35: filters.0.filter.fraction: '],
    [
      'more required sites than sites',
      changed('minSites: 2', 'minSites: 3'),
      ':7:13: workflow.minSites: 3 sites are required',
    ],
    ['sites of one name', changed('site-2]', 'site-1]'), ':3:8: sites: two sites have the same name'],
    ['a look-alike letter in a site', changed('site-2', 'sitе-2'), ':3:17: sites.1: '],
    [
      'a mapping in place of a list',
      changed('[site-1, site-2]', '{a: 1}'),
      ':3:8: sites: found a mapping. Allowed: a list of one or more',
    ],
    ['a list in place of a job', '- version: 1\n', ':1:1: found a list. Allowed: a mapping with the keys version, '],
    ['a text in place of a job', 'hello', ":1:1: found 'hello'. Allowed: a mapping"],
    ['a job name that is a path', changed('name: demo', 'name: ../x'), ':2:7: name: '],
    ['a job name without end', changed('name: demo', `name: ${'x'.repeat(4096)}`), ":2:7: name: found 'xxx"],
  ])('with %s is refused', (_, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });
});

describe('a text that is no job file', () => {
  const flow = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  it.each([
    ['nothing', '', ':1:1: the file is empty'],
    ['comments only', '# version: 1\n', ':1:1: the file is empty'],
    ['a megabyte of brackets', '['.repeat(1_000_000), 'more than the 262144 bytes'],
    ['as many brackets as fit', '['.repeat(200_000), ':1:64: nested more than 64 levels deep'],
    ['brackets over many lines', `${'[\n'.repeat(1000)}${']\n'.repeat(1000)}`, ':64:1: nested more than'],
    ['brackets behind quotes that seem to close them', `a: ${'["]]]]", '.repeat(1000)}`, 'nested more than'],
    ['brackets behind a block text with a quote', `a: |\n  "\nb: ${flow(1000)}`, ':3:'],
    [
      'mappings by indentation',
      Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      ':64:64: nested',
    ],
    ['lists in one line', `${'- '.repeat(1000)}x`, 'nested more than'],
    ['explicit keys in keys', `${'? '.repeat(1000)}x`, 'nested more than'],
    ['a duplicate key', `${valid}name: again\n`, ":22:1: the key 'name' stands here a second time"],
    ['an anchor', changed('kind: fed-avg', 'kind: &a fed-avg'), ":5:9: '&a': anchors are not allowed"],
    ['an alias', changed('kind: fed-avg', 'kind: *a'), ":5:9: '*a': aliases are not allowed"],
    ['a merge key', changed('kind: fed-avg', '<<: {kind: fed-avg}'), ':5:3: merge keys are not allowed'],
    ['a binary tag', changed('demo', '!!binary aGk='), ":2:7: '!!binary': tags are not allowed"],
    ['a function', changed('demo', '!!js/function "x"'), ":2:7: '!!js/function': tags are not allowed"],
    ['a tag of its own', changed('demo', '!env HOME'), ":2:7: '!env': tags are not allowed"],
    ['a directive', `%YAML 1.2\n---\n${valid}`, ":1:1: '%YAML 1.2': directives are not allowed"],
    ['two jobs', `${valid}---\n${valid}`, ': a second document'],
    [
      'an indentation by tab',
      changed('  rounds', '\trounds'),
      ':6:1: a tab as indentation; use blanks (found rounds: 3)',
    ],
    ['an unclosed quote', changed('demo', '"demo'), ':2:7: the quote " is opened here and never closed'],
    [
      'a quote that an escape keeps open',
      changed('demo', "'demo''"),
      ":2:7: the quote ' is opened here and never closed",
    ],
    ['an unclosed list', changed('site-2]', 'site-2'), ":4:1: a list that was opened with '[' is not closed"],
    ['an unclosed mapping', changed('name: demo', 'name: {a: 1'), ":3:1: a mapping that was opened with '{'"],
    ['a bracket too many', changed('site-2]', 'site-2]]'), ':3:24: this bracket was not opened (found ])'],
    ['a comma too many', changed('site-1,', 'site-1,,'), ':3:16: a comma with nothing before it'],
    ['a tab as indentation', changed('  rounds', '\trounds'), ':6:1: a tab as indentation; use blanks'],
    ['a key without a colon', changed('name: demo', 'demo'), ':2:1: a key stands on one line with its colon'],
    ['a second colon', changed('demo', 'demo: 1'), ":2:7: a second ': ' in one value; put a text that holds a colon"],
    ['keys in two columns', changed('  minSites', '   minSites'), ':6:11: a line below this one is indented further'],
    ['a key too far left', changed('  minSites', ' minSites'), ':7:1: the keys of one mapping'],
    ['dashes in two columns', changed('  - at: site-out', '  - a\n - b'), 'stand in the same column'],
    ['a list that begins beside its key', changed('[site-1, site-2]', '- site-1'), 'begins a new line'],
    ['a text that needs quotes', changed('demo', '@demo'), ':2:7: a text that begins with this character needs quotes'],
    ['a Windows path in double quotes', changed('/data\n', '"C:\\data"\n'), ':16:15: this is no escape'],
    ['a comment without a blank', changed('demo', '"demo"#x'), ":2:13: a comment needs a blank before its '#'"],
    ['a number as key', changed('demo', 'demo\n1: 2'), ":3:1: a key must be a text, so write '1' in quotes"],
    ['a list as key', changed('demo', 'demo\n? [a]\n: 2'), ': a key must be a text'],
    ['NUL', changed('demo', 'de\0mo'), ':2:9: the control character 0x00'],
    ['an escape character', changed('demo', 'de\u001bmo'), ':2:9: the control character 0x1b'],
  ])('%s, is refused', (_, text, expected) => {
    expect(refusal(text)).toContain(expected);
    expect(refusal(Buffer.from(text))).toContain(expected);
  });

  it('stays a refusal when it comes again and again: the process survives', () => {
    for (let i = 0; i < 20; i++) {
      expect(refusal(flow(1000))).toContain('nested more than');
      expect(refusal(`a: ${'{a: '.repeat(500)}`)).toContain('nested more than');
    }
  });

  it.each([
    ['UTF-16, little endian', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(valid, 'utf16le')]), 'UTF-16'],
    [
      'UTF-16, big endian',
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(valid, 'utf16le').swap16()]),
      'UTF-16',
    ],
    ['UTF-16 without mark', Buffer.from(valid, 'utf16le'), ':1:2: the control character 0x00'],
    ['Latin-1', Buffer.from(valid.replace('demo', 'dämo'), 'latin1'), ':2:8: the text is not valid UTF-8'],
    ['an image', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), ':1:1: the text is not valid UTF-8'],
    ['two megabytes', Buffer.alloc(2_000_000, 'a: 1\n'), 'more than the 262144 bytes'],
  ])('%s, is refused', (_, bytes, expected) => {
    expect(refusal(bytes)).toContain(expected);
  });

  it.each([
    ['billion laughs', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]', 'anchors are not allowed'],
    ['thirty thousand keys', Array.from({ length: 30_000 }, (_, i) => `a${i}:`).join('\n'), '29980 more unknown keys'],
    ['forty thousand items', `sites:\n${'- a b\n'.repeat(40_000)}`, ':2:1: sites: found a list of 40000. '],
    ['fifty thousand anchors', `a: [${'&a x,'.repeat(50_000)}]`, 'anchors are not allowed'],
    ['a long key', `? ${'a'.repeat(200_000)}\n: 1`, 'unknown key'],
    ['a long number', `version: ${'9'.repeat(200_000)}`, 'no finite number'],
  ])('%s, is refused within a second', (_, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('%s as a key is refused at every level', (key) => {
    for (const text of [
      `${key}: {polluted: 1}\n${valid}`,
      changed('rounds: 3', `rounds: 3\n  ${key}: {polluted: 1}`),
      changed('kind: svt', `"${key.replace('o', '\\u006f')}": {polluted: 1}, kind: svt`),
    ]) {
      expect(refusal(text)).toContain(`'${key}' is not allowed as a key`);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('an environment variable in a job file', () => {
  const withVariable = changed('baseDir: /data', `baseDir: \${DATA}/brats`);

  it('is filled in where a folder stands; the job is then the same as one that states the value', () => {
    const environment = { DATA: `/mnt/a: [&b *c] \${DATA} "` };
    expect(jobFromYaml(withVariable, 'job.yaml', { environment }).data).toMatchObject({
      baseDir: `${environment.DATA}/brats`,
    });
    expect(jobFromYaml(withVariable, 'job.yaml', { environment: { DATA: '/data' } })).toEqual(
      jobFromYaml(changed('baseDir: /data', 'baseDir: /data/brats')),
    );
  });

  it('that is missing, empty or no name at all is refused by its name, without any value', () => {
    expect(refusal(withVariable)).toContain(':16:12: data.baseDir: the environment variable DATA is not set');
    expect(refusal(withVariable, { DATA: '' })).toContain('the environment variable DATA is empty');
    expect(refusal(withVariable.replace(`\${DATA}`, `\${DATA:-/x}`), { DATA: 'secret' })).toContain(
      `\${DATA:-/x} names no environment variable`,
    );
  });

  it.each([
    ['name: demo', `name: \${X}`, `:2:7: name: \${X} is not replaced here`],
    ['kind: fed-avg', `kind: \${X}`, ':5:9: workflow.kind: '],
    ['rounds: 3', `rounds: \${X}`, `:6:11: workflow.rounds: \${X} is not replaced here`],
    ['minSites: 2', `minSites: 2\n  keyMetric: \${X}`, `:8:14: workflow.keyMetric: \${X} is not replaced here`],
  ])('is refused in place of a name, a kind or a number: %s', (piece, by, expected) => {
    const message = refusal(changed(piece, by), { X: 'secret' });
    expect(message).toContain(expected);
    expect(message).not.toContain('secret');
  });

  it('of the data can be left for the sites, each of which fills in its own', () => {
    const job = jobFromYaml(withVariable, 'job.yaml', { environment: {}, forSites: true });
    expect(job.data).toMatchObject({ baseDir: `\${DATA}/brats` });
    const sent = jobToYaml(job, { forSites: true });
    expect(jobFromYaml(sent, 'job.yaml', { environment: {}, forSites: true })).toEqual(job);
    expect(jobFromYaml(sent, 'job.yaml', { environment: { DATA: '/mnt/a' } }).data).toMatchObject({
      baseDir: '/mnt/a/brats',
    });
    expect(() => jobFromYaml(sent, 'job.yaml', { environment: {} })).toThrow(
      'the environment variable DATA is not set',
    );
    const other = changed('model:', `initialCheckpoint: \${START}\nmodel:`);
    expect(() => jobFromYaml(other, 'job.yaml', { environment: {}, forSites: true })).toThrow('START is not set');
  });

  it('can be written as plain text', () => {
    const job = jobFromYaml(changed('baseDir: /data', `baseDir: /$\${DATA}/$x/$$\${a}`), 'job.yaml', {
      environment: {},
    });
    expect(job.data).toMatchObject({ baseDir: `/\${DATA}/$x/$\${a}` });
    expect(jobFromYaml(jobToYaml(job), 'job.yaml', { environment: { DATA: 'x' } })).toEqual(job);
  });
});
