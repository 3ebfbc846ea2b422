import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Of } from '../../src/util/sha256';
import { tsNode } from '../support/ts-node';

/** Every folder of examples/: a script that tells how it is run, and its job as a file. `federation` is no job but a project. */
const root = resolve('examples');
const names = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && entry.name !== 'federation' ? entry.name : [],
);

interface Example {
  readonly name: string;
  readonly files: readonly string[];
  /** Absolute paths. */
  readonly script: string;
  readonly job: string;
}

const examples = names.map((name): Example => {
  const files = readdirSync(join(root, name));
  const runs = (file: string) =>
    readFileSync(join(root, name, file), 'utf8').includes(`npx ts-node examples/${name}/${file}`);
  const scripts = files.filter((file) => file.endsWith('.ts') && runs(file));
  const jobs = files.filter((file) => file.endsWith('.yaml'));
  if (scripts.length !== 1 || jobs.length !== 1) {
    throw new Error(`examples/${name} needs one script that says how it is run, and one job file.`);
  }
  return { name, files, script: join(root, name, scripts[0]!), job: join(root, name, jobs[0]!) };
});

const workspace = mkdtempSync(join(tmpdir(), 'consilium-examples-'));
afterAll(() => rmSync(workspace, { recursive: true }));

const withTorch = spawnSync('python3', ['-c', 'import torch']).status === 0;
const runnable = examples.filter(({ files }) => withTorch || !files.some((file) => file.endsWith('.py')));
const missing = examples.filter((example) => !runnable.includes(example));

let ofFiles: Readonly<Record<string, { readonly hash?: string; readonly model?: string; readonly error?: string }>>;
beforeAll(async () => {
  const jobs = runnable.map(({ job }) => job);
  ofFiles = JSON.parse(await tsNode(resolve('test/support/run-job-files.ts'), [workspace, ...jobs], workspace));
});

describe('an example', () => {
  it.each(runnable)(
    '$name runs, and its job file is the same job and gives the same model',
    async ({ name, script, job }) => {
      const folder = join(workspace, 'scripts', name);
      mkdirSync(folder, { recursive: true });
      expect(await tsNode(script, [], folder)).not.toBe('');
      const server = join(folder, 'consilium-workspace', onlyRun(folder), 'server', 'simulate_job');
      const { job_hash: hash, outcome } = JSON.parse(readFileSync(join(server, 'meta.json'), 'utf8'));
      const model = sha256Of(readFileSync(join(server, 'app_server', 'FL_global_model.safetensors')));
      expect(outcome).toBe('finished');
      expect(ofFiles[job]).toEqual({ hash, model });
    },
  );

  it.skipIf(missing.length === 0).for(missing)('$name needs python3 with torch, which is not here', (_, { skip }) =>
    skip('python3 with torch is not here'),
  );
});

function onlyRun(folder: string): string {
  const [run, ...others] = readdirSync(join(folder, 'consilium-workspace'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'data',
  );
  expect(others).toEqual([]);
  return run!.name;
}
