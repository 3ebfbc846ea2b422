import { describe, expect, it } from 'vitest';
import type { BundleEntry, JobFacts, Submitter } from '../provision/bundle';
import { jobFacts } from '../provision/job-facts';
import type { PreparedJob } from './job-process-messages';
import { judgeJob, judgeSize, type OfferedJob, refusalHint, refusalReason } from './judge-job';
import { type Policy, policySpec } from './policy';

const facts = (over: object = {}): JobFacts =>
  jobFacts.parse({
    name: 'job',
    sites: ['site-1'],
    workflow: { kind: 'fed-avg', rounds: 5 },
    model: { kind: 'segresnet' },
    trainer: { kind: 'segmentation' },
    data: { kind: 'brats18' },
    ...over,
  });
const submitter: Submitter = { name: 'ada', role: 'researcher', org: 'Uni', fingerprint: 'f'.repeat(64) };
const file = (path: string, digit: string): BundleEntry => ({
  path,
  size: 1,
  sha256: digit.repeat(64),
  to: 'all',
  executable: false,
});
const own = [file('job.yaml', '0'), { ...file('site-config/site-1.json', '1'), to: 'site:site-1' as const }];
const offered = (over: Partial<OfferedJob> = {}): OfferedJob => ({ facts: facts(), submitter, files: own, ...over });
const policy = (input: object = {}): Policy => policySpec.parse(input);
const rules = (input: object, job: OfferedJob) => judgeJob(policy(input), job).map(({ rule }) => rule);

describe('a policy without a line', () => {
  it('takes jobs of built-in parts', () => {
    expect(judgeJob(policy(), offered())).toEqual([]);
  });

  it('takes no job with a script, a module or a program', () => {
    const script = facts({ trainer: { kind: 'script', script: 'train.ts' } });
    expect(rules({}, offered({ facts: script, files: [...own, file('train.ts', 'a')] }))).toEqual(['code']);
    expect(rules({}, offered({ files: [...own, file('filters.ts', 'b')] }))).toEqual(['code']);
    const program = facts({ trainer: { kind: 'command', command: ['python3', '-c', 'print(1)'] } });
    expect(rules({}, offered({ facts: program }))).toEqual(['code']);
  });

  it('takes no kind that it does not know', () => {
    expect(rules({}, offered({ facts: facts({ trainer: { kind: 'telepathy' } }) }))).toEqual(['trainers']);
  });
});

describe('lists of kinds', () => {
  it.each([
    ['workflows', { workflow: { kind: 'scaffold', rounds: 1 } }, { workflows: ['fed-avg'] }],
    ['trainers', { trainer: { kind: 'statistics' } }, { trainers: ['segmentation'] }],
    ['models', { model: { kind: 'basic-unet' } }, { models: ['segresnet'] }],
    ['data', { data: { kind: 'csv' } }, { data: ['brats18', 'brats18-phantom'] }],
  ])('%s: only what is listed is taken part with', (rule, other, list) => {
    expect(rules(list, offered())).toEqual([]);
    expect(rules(list, offered({ facts: facts(other) }))).toEqual([rule]);
  });

  it('hold for kinds of a job of its own too: approved code alone does not make them allowed', () => {
    const job = offered({ facts: facts({ model: { kind: 'st-marys/net' } }) });
    expect(rules({ code: 'any' }, job)).toEqual([]);
    expect(rules({ code: 'any', models: ['segresnet'] }, job)).toEqual(['models']);
    expect(rules({ code: 'any', models: ['st-marys/net'] }, job)).toEqual([]);
  });
});

describe('approved code', () => {
  const approved = { code: { files: ['a'.repeat(64)], commands: [['python3', 'train.py']] } };

  it('runs when every file that came with the job is approved, and not when one byte of one differs', () => {
    const script = facts({ trainer: { kind: 'script', script: './train.ts' } });
    expect(rules(approved, offered({ facts: script, files: [...own, file('train.ts', 'a')] }))).toEqual([]);
    const imported = [...own, file('train.ts', 'a'), file('lib.ts', 'c')];
    expect(judgeJob(policy(approved), offered({ facts: script, files: imported }))).toEqual([
      {
        rule: 'code.files',
        reason: `1 file that came with the job is not approved here (SHA-256 ${'c'.repeat(64)})`,
      },
    ]);
  });

  it('of a program of this machine is its whole command line: other arguments are another program', () => {
    const command = (...words: string[]) => offered({ facts: facts({ trainer: { kind: 'command', command: words } }) });
    expect(rules(approved, command('python3', 'train.py'))).toEqual([]);
    for (const words of [['python3', '-c', 'import os'], ['python3'], ['python3', 'train.py', '--x'], ['sh'], []]) {
      expect(rules(approved, command(...words))).toEqual(['code.commands']);
    }
  });

  it('of a program that came with the job is its file', () => {
    const program = facts({ trainer: { kind: 'command', command: ['./bin/train', '--fast'] } });
    expect(rules(approved, offered({ facts: program, files: [...own, file('bin/train', 'a')] }))).toEqual([]);
    expect(rules(approved, offered({ facts: program }))).toEqual(['code.commands']);
    const outside = facts({ trainer: { kind: 'command', command: ['/usr/bin/python3', '-c', '1'] } });
    expect(rules(approved, offered({ facts: outside }))).toEqual(['code.commands']);
  });
});

describe('submitters', () => {
  it.each([
    ['submitters.names', { names: ['grace'] }],
    ['submitters.orgs', { orgs: ['Hospital'] }],
    ['submitters.roles', { roles: ['admin'] }],
  ])('%s', (rule, submitters) => {
    expect(rules({ submitters }, offered())).toEqual([rule]);
    expect(rules({ submitters: { names: ['ada'], orgs: ['Uni'], roles: ['researcher'] } }, offered())).toEqual([]);
  });
});

describe('the limit of rounds', () => {
  const limit = { limits: { rounds: 10 } };
  it('is that of the job, and a workflow of its own has to say how many it has', () => {
    expect(rules(limit, offered({ facts: facts({ workflow: { kind: 'fed-avg', rounds: 10 } }) }))).toEqual([]);
    expect(rules(limit, offered({ facts: facts({ workflow: { kind: 'fed-avg', rounds: 11 } }) }))).toEqual([
      'limits.rounds',
    ]);
    expect(rules(limit, offered({ facts: facts({ workflow: { kind: 'fed-eval' } }) }))).toEqual([]);
    const ownWorkflow = facts({ workflow: { kind: 'st-marys/endless' } });
    expect(rules({ ...limit, code: 'any' }, offered({ facts: ownWorkflow }))).toEqual(['limits.rounds']);
  });
});

describe('the limits on size, and the filters of the policy', () => {
  const prepared: PreparedJob = {
    ...{ tasks: ['train'], rounds: 3, sends: ['weight-diff', 'metrics'], filtersOut: [] },
    ...{ modelBytes: 20e6, stepBytes: 900e6 },
  };
  const broken = (input: object, over: Partial<PreparedJob> = {}) =>
    judgeSize(policy(input), { ...prepared, ...over }).map(({ rule }) => rule);

  it('are kept up to the last megabyte', () => {
    expect(broken({ limits: { modelMb: 20, memoryMb: 900 } })).toEqual([]);
    expect(broken({ limits: { modelMb: 19, memoryMb: 899 } })).toEqual(['limits.modelMb', 'limits.memoryMb']);
    expect(broken({ limits: { modelMb: 1, memoryMb: 1 } }, { modelBytes: undefined, stepBytes: undefined })).toEqual(
      [],
    );
  });

  it('refuse a job whose payloads a filter of the policy would block', () => {
    const filters = [{ filter: { kind: 'percentile' } }, { payloads: ['metrics'], filter: { kind: 'percentile' } }];
    expect(broken({ filters })).toEqual([]);
    expect(broken({ filters }, { sends: ['statistics'] })).toEqual(['filters.0']);
    expect(broken({ payloads: ['metrics'] })).toEqual(['payloads']);
  });
});

it('each kind of refusal says once what to do next: who decides it, and by which key of which file', () => {
  const job = offered({
    facts: facts({ trainer: { kind: 'statistics' }, workflow: { kind: 'fed-avg', rounds: 11 } }),
    files: [...own, file('a.ts', 'a'), file('b.ts', 'b')],
  });
  const refusals = judgeJob(policy({ trainers: ['segmentation'], limits: { rounds: 10 } }), job);
  expect(refusalHint([...refusals, { rule: 'code.files', reason: '' }])).toBe(
    [
      "Ask the site's operator, who decides it by 'trainers' in policy.yaml.",
      "The site's operator may approve it under 'code' in policy.yaml: 'consilium policy approve' prints the lines.",
      "Make the job smaller, or ask the site's operator: 'limits.rounds' in policy.yaml.",
    ].join(' '),
  );
});

it('all that was refused is told on one line of bounded length, without control characters', () => {
  const many = Array.from({ length: 500 }, (_, i) => file(`f${i}.ts`, 'e'));
  const odd = facts({ trainer: { kind: `evil\n\u202e${'x'.repeat(5000)}` }, workflow: { kind: 'w'.repeat(3000) } });
  const reason = refusalReason(judgeJob(policy({ code: {} }), offered({ facts: odd, files: many })));
  expect(reason).toMatch(/^policy workflows: .*; policy trainers: .*; policy code\.files: 500 files that came/);
  expect(reason.length).toBeLessThanOrEqual(2000);
  expect(reason).not.toMatch(/\p{C}/u);
});
