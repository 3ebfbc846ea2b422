import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBratsPhantom } from '../../src/imaging/phantom/write-brats-phantom';
import { runProgram } from '../support/run-program';

let folder: string;
let data: readonly string[];
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-command-'));
  base = join(folder, 'data');
  await writeBratsPhantom({ out: base, sites: 2, casesPerSite: 2, validationCases: 1, shape: [32, 32, 32], seed: 3 });
  data = ['--dataset_base_dir', base, '--datalist_json_path', join(base, 'datalist')];
});
afterAll(() => rm(folder, { recursive: true }));

const sizes = '--n_clients 2 --num_rounds 2 --roi_size 16 16 16 --infer_roi_size 32 32 32 --learning_rate 1e-3'.split(
  ' ',
);
const command = ['ts-node', 'jobs/brats18.ts'];

function brats18(...flags: readonly string[]) {
  return runProgram('npx', [...command, ...flags]);
}

describe('jobs/brats18.ts', () => {
  it('prints one JSON object to standard output and progress to standard error', async () => {
    const run = await brats18(...sizes, ...data, '--workspace', join(folder, 'json'), '--json');
    expect(run.status, run.stderr).toBe(0);
    const result = JSON.parse(run.stdout);
    expect(Object.keys(result).sort()).toEqual(
      ['run', 'outcome', 'rounds', 'best', 'final', 'files', 'results', 'final_model_sha256', 'seconds'].sort(),
    );
    expect(result).toMatchObject({ run: 'brats18_2', outcome: 'finished', rounds: 2 });
    expect(run.stderr).toContain('round 0 (1/2)');
    expect(readFileSync(result.files.job, 'utf8')).toContain('kind: brats18');
  });

  it('that was killed continues where it stood, with the bytes of an undisturbed run', async () => {
    const flags = [...sizes, ...data, '--workspace', join(folder, 'killed')];
    const metrics = join(folder, 'killed', 'brats18_2', 'server', 'simulate_job', 'metrics', 'round_metrics.jsonl');
    const child = spawn('npx', [...command, ...flags], { stdio: 'ignore', detached: true });
    while (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.kill(-child.pid!, 'SIGKILL');
    await new Promise((resolve) => child.on('exit', resolve));
    const continued = await brats18(...flags, '--resume', '--json');
    expect(continued.status, continued.stderr).toBe(0);
    const undisturbed = await brats18(...sizes, ...data, '--workspace', join(folder, 'undisturbed'), '--json');
    expect(JSON.parse(continued.stdout).final_model_sha256).toBe(JSON.parse(undisturbed.stdout).final_model_sha256);
  });

  it('refuses a wrong flag with exit code 2 and says why', async () => {
    const run = await brats18('--dp_fraction', '1.1', '--workspace', join(folder, 'refused'));
    expect(run.stderr).toMatch(/dp_fraction.*1\.1/);
    expect(run.status).toBe(2);
  });

  it('has a --help with examples', async () => {
    const run = await brats18('--help');
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('--enable_dp');
    expect(run.stdout).toContain('Examples:');
  });

  it('exports the job instead of running it, and the export runs', async () => {
    const target = join(folder, 'exported');
    const exported = await brats18(...sizes, ...data, '--job_name', 'from-file', '--export', target);
    expect(exported.status, exported.stderr).toBe(0);
    expect((await brats18(...sizes, ...data, '--export', target)).status).toBe(2);
    const consilium = ['bin/consilium.js', 'simulate', join(target, 'job.yaml'), '--workspace', join(folder, 'file')];
    const run = await runProgram('node', [...consilium, '--json']);
    expect(run.status, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout).run).toBe('from-file');
  });

  it('fails with exit code 2 and the name of the file when a case is missing or broken', async () => {
    const list = join(base, 'datalist', 'site-1.json');
    const broken = JSON.parse(readFileSync(list, 'utf8'));
    broken.training[0].image[2] = 'training/HGG/absent_t2.nii.gz';
    const lists = join(folder, 'broken-lists');
    await mkdir(lists);
    await writeFile(join(lists, 'site-1.json'), JSON.stringify(broken));
    const run = await brats18(
      ...sizes,
      '--dataset_base_dir',
      base,
      '--datalist_json_path',
      lists,
      '--workspace',
      join(folder, 'broken'),
    );
    expect(run.stderr).toContain('absent_t2.nii.gz');
    expect(run.status).toBe(2);
  });

  it('stops cleanly on Ctrl-C and prints the command that continues', async () => {
    const flags = [...sizes, ...data, '--workspace', join(folder, 'interrupted')];
    const child = spawn('node', [require.resolve('ts-node/dist/bin.js'), 'jobs/brats18.ts', ...flags]);
    let output = '';
    child.stderr.on('data', (text) => {
      output += text;
    });
    child.stdout.on('data', (text) => {
      output += text;
      if (String(text).includes('round 0')) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(output).toContain('--resume');
    expect(code).toBe(130);
  });
});
