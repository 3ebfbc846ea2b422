import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { numbersOf } from '../../../test/support/filter-context';
import { parseJob } from '../../jobs/job-spec';
import { failureSummary } from '../../protocol/failure-summary';
import type { Task } from '../../protocol/messages';
import { float32 } from '../../tensor/tensor';
import { openRunLog } from '../../tracking/run-log';
import type { TaskContext, TaskProgress } from '../../transport/agent-types';
import { nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import { sha256Of } from '../../util/sha256';
import type { AuditEvent } from '../audit';
import { bundleForSite, createBundle, readBundle } from '../provision/bundle';
import { parseSiteSettings } from './site-settings';
import { type SiteWork, siteWork } from './site-work';

let federation: TestFederation;
let root: string;
beforeAll(async () => {
  federation = await testFederation();
  root = mkdtempSync(join(tmpdir(), 'consilium-work-'));
});
afterAll(() => {
  rmSync(dirname(federation.out), { recursive: true });
  rmSync(root, { recursive: true });
});
const works: SiteWork[] = [];
afterEach(async () => {
  for (const work of works.splice(0)) await work.close();
});

/** Every number grows by what the task's settings say; odd settings make it fail in odd ways. */
const script = `module.exports = async function train(site) {
  for await (const task of site.tasks()) {
    if (task.kind === 'validate') { await task.reply({ metrics: { val_dice: 0.5 } }); continue; }
    const what = task.settings ?? {};
    if (what.fail === 'throw') throw new Error('patient 4711 of /data/secret.nii');
    if (what.fail === 'exit') process.exit(3);
    if (what.fail === 'hang') await new Promise(() => setInterval(() => {}, 1000));
    if (what.fail === 'nothing') { await task.reply(undefined); continue; }
    task.progress(1, 2, 0.25);
    const w = task.model.get('w');
    w.data.forEach((x, i) => { w.data[i] = x + (what.by ?? 1); });
    await task.reply({ weights: task.model, steps: 2, metrics: { cases: 7 } });
  }
};`;
const approved = `code: { files: [${sha256Of(Buffer.from(script))}] }\n`;
const job = (over: object = {}) =>
  parseJob({
    version: 1,
    name: 'small',
    sites: ['site-1', 'site-2'],
    workflow: { kind: 'fed-avg', rounds: 3, minSites: 2 },
    model: { kind: 'tensors', tensors: { w: [3] } },
    trainer: { kind: 'script', script: './train.cjs' },
    ...over,
  });

let count = 0;
/** A job at site-1, from its submission on. */
async function offered(spec = job(), { site = '' }: { readonly site?: string } = {}) {
  const place = join(root, String(count++));
  const [jobFolder, folder] = [join(place, 'job'), join(place, 'site', 'jobs', 'small-1')];
  mkdirSync(jobFolder, { recursive: true });
  writeFileSync(join(jobFolder, 'train.cjs'), script);
  const whole = join(place, 'whole');
  const ada = await federation.kit('ada');
  await createBundle(spec, { folder: jobFolder, kit: ada }, whole, nodeDisk);
  const read = { ca: ada.tls.ca, project: ada.project, now: Date.now() };
  const bundle = await readBundle(readFileSync(whole), { ...read, purpose: 'server' });
  const bundleFile = join(folder, 'bundle', 'part');
  mkdirSync(dirname(bundleFile), { recursive: true });
  writeFileSync(bundleFile, Buffer.concat(await bundleForSite(bundle, 'site-1')));
  const policyFile = join(place, 'policy.yaml');
  const audit: AuditEvent[] = [];
  const troubles: unknown[] = [];
  const stop = new AbortController();
  const open = () => {
    const work = siteWork({
      ...{ site: 'site-1', project: ada.project, ca: ada.tls.ca, policyFile, disk: nodeDisk, clock: nodeClock },
      settings: parseSiteSettings(Buffer.from(`shutdownSeconds: 2\n${site}`), join(place, 'site', 'site.yaml')),
      audit: { append: async (event) => void audit.push(event) },
      log: openRunLog(join(place, 'site'), { clock: Date.now }),
      trouble: (error) => troubles.push(error),
      testNoiseSeed: undefined,
      signal: stop.signal,
    });
    works.push(work);
    return work;
  };
  return {
    ...{ folder, bundleFile, audit, troubles, open, stop, policyFile },
    policy: (text: string) => writeFileSync(policyFile, text),
    async consider(text: string) {
      writeFileSync(policyFile, text);
      return open().consider('small-1', bundleFile, folder);
    },
    async log(work: SiteWork) {
      await work.close();
      return readFileSync(join(folder, 'log.txt'), 'utf8');
    },
  };
}

const task = (round = 0, settings?: object): Task => ({
  ...{ kind: 'train', round, model: new Map([['w', float32([3], [1, 2, 3])]]) },
  ...(settings && { settings: settings as never }),
});
const context = (signal = new AbortController().signal, seen: TaskProgress[] = []): TaskContext => ({
  signal,
  progress: (one) => seen.push(one),
});

describe('an offered job', () => {
  it('with code is refused by a policy that says nothing, in one line that the submitter and the audit log get, with a next step', async () => {
    const one = await offered();
    const verdict = await one.consider('');
    const reason = 'policy code: the job brings 1 file that came with it, and no code of jobs runs here';
    const next =
      "The site's operator may approve it under 'code' in policy.yaml: 'consilium policy approve' prints the lines";
    expect(verdict).toEqual({ verdict: 'refused', reason: `${reason}. ${next}` });
    expect(one.audit).toMatchObject([
      {
        event: 'job-refused',
        job: 'small-1',
        name: 'small',
        submitter: 'ada',
        org: 'North Hospital',
        reason,
      },
    ]);
    expect(existsSync(join(one.folder, 'files'))).toBe(false);
  });

  it('runs once its file is approved, and answers with what the script made of the model', async () => {
    const one = await offered();
    one.policy(approved);
    const work = one.open();
    expect(await work.consider('small-1', one.bundleFile, one.folder)).toEqual({ verdict: 'accepted', reason: '' });
    const runner = await work.start('small-1', one.folder);
    const seen: TaskProgress[] = [];
    const { payload, ...update } = await runner.run(task(1, { by: 4 }), context(undefined, seen));
    expect(update).toMatchObject({ site: 'site-1', round: 1, task: 'train', privacy: [] });
    expect(payload).toMatchObject({ kind: 'weight-diff', metrics: { val_dice: 0.5, cases: 7 }, steps: 2 });
    expect(numbersOf(payload)).toEqual([4, 4, 4]);
    expect(seen).toEqual([{ phase: 'train', done: 1, total: 2, loss: 0.25 }]);
    expect(work.takeLeaving('small-1')).toEqual({ task: 'train', round: 1, filters: [], costs: [] });
    expect(one.audit.map(({ event }) => event)).toEqual(['job-accepted']);
  });

  it('of damaged or foreign bytes is refused, and a broken policy takes no job at all', async () => {
    const one = await offered();
    const whole = readFileSync(one.bundleFile);
    writeFileSync(one.bundleFile, whole.fill(0, whole.length - 10));
    expect((await one.consider(approved)).reason).toMatch(/^bundle: what came is not what somebody .* signed/);
    const other = await offered();
    expect((await other.consider('code: [')).reason).toMatch(/^policy: the policy of this site cannot be read/);
  });

  it.each([
    [
      'a provider that is not here',
      { engine: { provider: 'cuda' }, model: { kind: 'segresnet' } },
      '',
      /^site engine: the execution provider 'cuda'/,
    ],
    [
      'a model beyond the limit',
      { model: { kind: 'tensors', tensors: { w: [1_000_000] } } },
      'limits: { modelMb: 3 }',
      /^policy limits\.modelMb: the model has 4 MB/,
    ],
    [
      'weights where the policy lets none out',
      { trainer: { kind: 'script', script: './train.cjs', transfer: 'weights' } },
      'payloads: [weight-diff, metrics]',
      /^policy payloads: the job sends weights/,
    ],
    [
      'weights that a filter of the policy cannot handle',
      { trainer: { kind: 'script', script: './train.cjs', transfer: 'weights' } },
      'filters: [{ filter: { kind: percentile } }]',
      /^policy filters\.0: the job sends weights/,
    ],
  ])('with %s is refused', async (_, over, more, expected) => {
    const one = await offered(job(over));
    expect((await one.consider(`${approved}${more}`)).reason).toMatch(expected);
  });

  it('is told that data are missing, without a path; the log of the site has the path', async () => {
    const spec = job({
      model: { kind: 'segresnet', initFilters: 8, blocksDown: [1], blocksUp: [] },
      trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [16, 16, 16] },
      data: { kind: 'brats18', baseDir: '/home/ada', datalistDir: '/home/ada' },
    });
    const unnamed = await offered(spec);
    expect((await unnamed.consider('')).reason).toMatch(
      /^data: this site has named no data of kind 'brats18'.* names them under 'data\.brats18' in site\.yaml$/,
    );
    const one = await offered(spec, { site: 'data: { brats18: { baseDir: ./here, datalist: ./gone.json } }' });
    one.policy('');
    const work = one.open();
    const { reason } = await work.consider('small-1', one.bundleFile, one.folder);
    const next = 'The log of the site has the details: ask its operator';
    expect(reason).toBe(`site data: what the job needs of this site's data is missing or cannot be read. ${next}`);
    expect(await one.log(work)).toMatch(/site\/gone\.json/);
    expect(one.troubles).toMatchObject([{ tag: 'DataError', message: expect.stringMatching(/site\/gone\.json/) }]);
  });

  it('whose policy cannot be read is refused, at its offer and at its start; the operator is told file, line and what to do', async () => {
    const one = await offered();
    const { verdict, reason } = await one.consider('code: { files: [0] }');
    expect(verdict).toBe('refused');
    expect(reason).toMatch(
      /^policy: the policy of this site cannot be read at present\. The log of the site says where/,
    );
    expect(reason).not.toContain(one.policyFile);
    const what = {
      message: expect.stringContaining(`${one.policyFile}:1:`),
      hint: expect.stringMatching(/^Correct the places named above/),
    };
    expect(one.troubles).toMatchObject([what]);

    one.policy(approved);
    expect(await one.open().consider('small-1', one.bundleFile, one.folder)).toMatchObject({ verdict: 'accepted' });
    one.policy('code: { files: [0] }');
    await expect(one.open().start('small-1', one.folder)).rejects.toMatchObject({ tag: 'RefusedError' });
    expect(one.troubles).toMatchObject([what, what]);
    const another = await offered();
    await another.consider('');
    expect(another.troubles).toEqual([]);
  });
});

describe('an accepted job', () => {
  const accepted = async (policy = approved, spec = job()) => {
    const one = await offered(spec);
    one.policy(policy);
    const work = one.open();
    expect(await work.consider('small-1', one.bundleFile, one.folder)).toMatchObject({ verdict: 'accepted' });
    return { ...one, work, runner: await work.start('small-1', one.folder) };
  };

  it('goes on in a new process of the site, while its policy still says so', async () => {
    const { work, open, folder, policy, audit } = await accepted();
    await work.close();
    const runner = await open().start('small-1', folder);
    expect(numbersOf((await runner.run(task(), context())).payload)).toEqual([1, 1, 1]);
    policy('');
    const refused = await open()
      .start('small-1', folder)
      .catch((error: unknown) => error);
    expect(failureSummary(refused)).toMatchObject({
      tag: 'RefusedError',
      message: expect.stringMatching(/^policy code: .* prints the lines; the site's log has the details$/),
    });
    expect(audit.at(-1)).toMatchObject({ event: 'job-refused', reason: expect.stringMatching(/^policy code/) });
  });

  it.each([
    ['throws', 'throw', 'SiteFailedError'],
    ['ends its process', 'exit', 'SiteFailedError'],
    ['answers with nothing', 'nothing', 'DataError'],
  ])(
    'whose code %s fails its task with a summary that holds nothing of the data, and does the next one',
    async (_, fail) => {
      const { runner, work, log } = await accepted();
      const error = await runner.run(task(0, { fail }), context()).catch((one: unknown) => one);
      expect(JSON.stringify(failureSummary(error))).not.toMatch(/4711|secret|data\//);
      expect(numbersOf((await runner.run(task(1), context())).payload)).toEqual([1, 1, 1]);
      expect(await log(work)).not.toBe('');
    },
  );

  it('whose code hangs lets go when its task is stopped, and does the next one', async () => {
    const { runner } = await accepted();
    const stop = new AbortController();
    const hanging = runner.run(task(0, { fail: 'hang' }), context(stop.signal));
    setTimeout(() => stop.abort(new Error('late')), 200);
    await expect(hanging).rejects.toThrow('late');
    expect(numbersOf((await runner.run(task(1), context())).payload)).toEqual([1, 1, 1]);
  });

  it('is asked for no task, round or model that is not its own', async () => {
    const { runner } = await accepted(`${approved}limits: { modelMb: 1 }`);
    await expect(runner.run({ ...task(), kind: 'submit-model' }, context())).rejects.toThrow(/no task 'submit-model'/);
    await expect(runner.run(task(4), context())).rejects.toThrow(/3 rounds, and round 4/);
    const large = { ...task(), model: new Map([['w', float32([500_000], new Float32Array(500_000))]]) };
    await expect(runner.run(large, context())).rejects.toThrow(/limits\.modelMb/);
  });

  it.each(['of the job', 'of the site'])(
    'fails with a damaged account of privacy %s, and says so without a path',
    async (whose) => {
      const { runner, folder } = await accepted(approved);
      const workspace = join(dirname(dirname(folder)), 'workspace');
      const privacy = join(whose === 'of the job' ? folder : workspace, 'privacy');
      mkdirSync(privacy, { recursive: true });
      writeFileSync(join(privacy, 'ledger.jsonl'), 'no ledger\n');
      const error = await runner.run(task(), context()).catch((reason: unknown) => reason);
      expect(failureSummary(error)).toMatchObject({
        tag: 'DataError',
        message: expect.stringMatching(/^its account of privacy cannot be read \(DataError\), so it trains nothing/),
      });
    },
  );

  it('answers through the filters of the policy last, and tells no loss that no filter has seen', async () => {
    const spec = job({ filters: [{ at: 'site-out', filter: { kind: 'block-metrics', metrics: ['none'] } }] });
    const policy = `${approved}metrics: [val_*]\nfilters: [{ filter: { kind: svt, fraction: 1, epsilon: 1, noiseVar: 2, gamma: 4 } }]`;
    const { runner, work } = await accepted(policy, spec);
    const seen: TaskProgress[] = [];
    const { payload, privacy } = await runner.run(task(), context(undefined, seen));
    expect(payload.metrics).toEqual({ val_dice: 0.5 });
    expect(numbersOf(payload)).not.toEqual([1, 1, 1]);
    expect(privacy).toMatchObject([{ mechanism: 'svt', differentiallyPrivate: true }]);
    expect(seen).toEqual([{ phase: 'train', done: 1, total: 2 }]);
    expect(work.takeLeaving('small-1')).toEqual({
      ...{ task: 'train', round: 0, costs: privacy },
      filters: ['block-metrics', 'svt', 'allow-metrics'],
    });
  });
});

it('a job that is being made ready when the site stops gets no verdict', async () => {
  const one = await offered();
  one.policy(approved);
  const considered = one.open().consider('small-1', one.bundleFile, one.folder);
  setTimeout(() => one.stop.abort(new Error('stopping')), 150);
  await expect(considered).rejects.toThrow();
  expect(one.audit).toEqual([]);
});
