import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type JobInput, PocEnv, parseJob, SimEnv } from '../../src';
import { writeBratsPhantom } from '../../src/imaging/phantom/write-brats-phantom';

const root = mkdtempSync(join(tmpdir(), 'consilium-poc-test-'));
const folder = join(root, 'job');
afterAll(() => rmSync(root, { recursive: true }));

/** Trains by adding a number of a file that it imports; never ends where its seed says so. */
const script = `const { step } = require('./step.cjs');
module.exports = async function train(site) {
  for await (const task of site.tasks()) {
    if (site.seed === 13) await new Promise(() => setInterval(() => {}, 1000));
    if (task.kind === 'validate') { await task.reply({ metrics: { score: task.round } }); continue; }
    const w = task.model.get('w');
    w.data.forEach((x, i) => { w.data[i] = x + step; });
    await task.reply({ weights: task.model, steps: 1 });
  }
};`;
beforeAll(() => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'train.cjs'), script);
  writeFileSync(join(folder, 'step.cjs'), 'exports.step = 2;');
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const input = (over: object = {}): JobInput => ({
  version: 1,
  name: 'scripted',
  sites: ['north', 'south', 'west'],
  workflow: { kind: 'fed-avg', rounds: 2, minSites: 2, keyMetric: 'score' },
  model: { kind: 'tensors', tensors: { w: [2] } },
  trainer: { kind: 'script', script: './train.cjs' },
  ...over,
});

/** A run of the command, with a folder for temporary files of its own. */
function poc(job: JobInput, args: readonly string[], temporary: string) {
  const file = join(folder, `${job.name}.yaml`);
  writeFileSync(file, JSON.stringify(job));
  mkdirSync(temporary);
  const bin = join(__dirname, '..', '..', 'bin', 'consilium.js');
  const workspace = join(root, `${job.name}-results`);
  const child = spawn(
    process.execPath,
    [bin, 'poc', file, '--workspace', workspace, '--include', 'step.cjs', ...args],
    {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  children.push(child);
  return child;
}

describe('consilium poc', () => {
  it('runs a job with its own code at the sites that come, and leaves nothing else behind', async () => {
    const temporary = join(root, 'done');
    const child = poc(input(), ['-n', '2', '--json'], temporary);
    const [out, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    expect(errors).toMatch(/2 rounds/);
    const said = JSON.parse(out) as { outcome: string; rounds: number; files: Record<string, string>; final: object };
    expect(said).toMatchObject({ outcome: 'finished', rounds: 2, final: { round: 2, metrics: { score: 2 } } });
    expect(existsSync(said.files.final_safetensors!)).toBe(true);
    expect(readdirSync(temporary).filter((name) => name.startsWith('consilium'))).toEqual([]);
  });

  it('ends everything that it has started when it is killed itself', async () => {
    const temporary = join(root, 'killed');
    const child = poc(input({ name: 'endless', seed: 13 }), [], temporary);
    await lineOf(child.stdout, /files in/);
    const [place = ''] = readdirSync(temporary);
    const kits = join(temporary, place, 'project', 'kits');
    const gone = ['server', 'north', 'south', 'west'].map((name) => removed(join(kits, name, 'workspace.lock')));
    child.kill('SIGKILL');
    await Promise.all(gone);
  });
});

describe('PocEnv', () => {
  it('that is aborted takes its federation down', async () => {
    const stop = new AbortController();
    const run = new PocEnv({ workspace: join(root, 'aborted'), include: ['step.cjs'] }).run(
      parseJob(input({ name: 'aborted', seed: 13 })),
      { folder, signal: stop.signal },
    );
    let place = '';
    for await (const event of run.events()) {
      if (event.kind === 'log') place = /start in (\S+)/.exec(event.message)?.[1] ?? place;
      if (event.kind === 'round-started') stop.abort();
    }
    await expect(run.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    expect(run.status()).toBe('aborted');
    expect([place === '', existsSync(place)]).toEqual([false, false]);
  });

  it("finds a site's images where the job says, as the simulator does", async () => {
    const data = join(root, 'images');
    const { baseDir, datalistDir } = await writeBratsPhantom({
      ...{ out: data, sites: 2, casesPerSite: 1, validationCases: 1, shape: [32, 32, 32] },
    });
    const job = parseJob({
      ...{ version: 1, name: 'images', sites: ['site-1', 'site-2'] },
      workflow: { kind: 'fed-avg', rounds: 1, minSites: 2 },
      model: { kind: 'segresnet', initFilters: 8, blocksDown: [1, 1], blocksUp: [1] },
      trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [32, 32, 32] },
      data: { kind: 'brats18', baseDir, datalistDir },
    });
    const [here, there] = [new SimEnv({ workspace: join(root, 'sim') }), new PocEnv({ workspace: join(root, 'poc') })];
    const simulated = await here.run(job).result();
    expect((await there.run(job).result()).finalModelSha256).toBe(simulated.finalModelSha256);
  });

  it('refuses a number of sites that the job does not have or that is too small for it, before anything starts', async () => {
    expect(() => new PocEnv({ sites: 0 })).toThrow(/sites must be/);
    const count = (sites: number) =>
      new PocEnv({ workspace: join(root, 'none'), sites }).run(parseJob(input()), { folder }).result();
    await expect(count(4)).rejects.toThrow(/4 sites are to take part, but the job has only 3/);
    await expect(count(1)).rejects.toThrow(/a round of the job needs 2/);
  });
});

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

function lineOf(stream: NodeJS.ReadableStream, line: RegExp): Promise<void> {
  let text = '';
  return new Promise((resolve) => {
    stream.on('data', (piece) => {
      text += String(piece);
      if (line.test(text)) resolve();
    });
  });
}

/** Resolves when a file is removed that is there now. */
function removed(file: string): Promise<void> {
  expect(readFileSync(file, 'utf8')).toMatch(/^\d+/);
  return new Promise((resolve) => {
    const watcher = watch(dirname(file), () => {
      if (existsSync(file)) return;
      watcher.close();
      resolve();
    });
  });
}
