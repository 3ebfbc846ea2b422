import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FedAvgRecipe, SimEnv } from '../../src';
import { failingTrainer } from '../support/parts/failing-trainer';
import { runProgram } from '../support/run-program';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-report-'));
afterAll(() => rmSync(workspace, { recursive: true }));

const consilium = (...args: readonly string[]) => runProgram('node', ['bin/consilium.js', ...args]);

describe('a run that failed in its second round', () => {
  it('says so, and what was finished, to people and to machines, and leaves a report', async () => {
    const recipe = new FedAvgRecipe({
      name: 'failing',
      sites: 2,
      rounds: 3,
      model: { kind: 'tensors', tensors: { w: [2] } },
      trainer: failingTrainer({ round: 1 }),
      keyMetric: 'score',
    });
    const run = recipe.execute(new SimEnv({ workspace, threads: 1 }));
    await expect(run.result()).rejects.toMatchObject({ tag: 'QuorumError' });

    const { status, stdout } = await consilium('report', join(workspace, 'failing'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^failing {2}failed {2}2 sites/);
    expect(stdout).toContain('needs 2 sites, but only 0 answered');
    const json = JSON.parse((await consilium('report', join(workspace, 'failing'), '--json')).stdout);
    expect(json).toMatchObject({ run: 'failing', outcome: 'failed', rounds: [{ round: 0, metrics: { score: 0 } }] });
    expect(readFileSync(json.report, 'utf8')).toContain('failing');
  });

  it('is told from a folder that holds no run', async () => {
    const { status, stderr } = await consilium('report', workspace);
    expect(status).toBe(2);
    expect(stderr).toContain('is not the folder of a run');
  });
});

describe('consilium doctor', () => {
  it('finds nothing in the way of a machine that can train', async () => {
    const { status, stdout } = await consilium('doctor', '--workspace', workspace, '--json');
    expect(status).toBe(0);
    const { ok, findings } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(findings.map(({ name }: { name: string }) => name)).toContain('onnxruntime');
  });

  it('has a line on the training code and one on the model of a job, with what stands in the way', async () => {
    const job = join(workspace, 'own.yaml');
    const workflow = '{kind: fed-avg, rounds: 1, minSites: 1, keyMetric: loss}';
    const text = (trainer: string, model: string) =>
      `version: 1\nname: own\nsites: [a]\nworkflow: ${workflow}\nmodel: ${model}\ntrainer: ${trainer}\n`;
    const look = async () => {
      const { findings } = JSON.parse((await consilium('doctor', job, '--workspace', workspace, '--json')).stdout);
      return (name: string) => findings.find((one: { name: string }) => one.name === name);
    };
    writeFileSync(job, text(`{kind: command, command: [${process.execPath}]}`, '{kind: tensors, tensors: {w: [1]}}'));
    const well = await look();
    expect(well('training code')).toEqual({
      name: 'training code',
      status: 'ok',
      message: `the program ${process.execPath}`,
    });
    expect(well('starting model')).toMatchObject({ status: 'ok', message: '1 tensor' });
    writeFileSync(job, text('{kind: script, script: ./gone.ts}', '{kind: checkpoint, file: gone.pt}'));
    const ill = await look();
    expect(ill('job file')).toMatchObject({ status: 'ok', message: 'own: 1 site' });
    expect(ill('training code')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining("the script './gone.ts' does not exist"),
      hint: expect.stringContaining("job's folder"),
    });
    expect(ill('starting model')).toMatchObject({ status: 'problem', message: expect.stringContaining('gone.pt') });
  });

  it('warns of a job that asks for more memory or GPUs than the machine has: no site like it would ever start it', async () => {
    const job = join(workspace, 'large.yaml');
    const parts =
      'workflow: {kind: fed-avg, rounds: 1, minSites: 1, keyMetric: loss}\nmodel: {kind: tensors, tensors: {w: [1]}}\n';
    const trainer = `trainer: {kind: command, command: [${process.execPath}]}\n`;
    writeFileSync(
      job,
      `version: 1\nname: large\nsites: [a]\nresources: {memoryMb: 900000000, gpus: 1}\n${parts}${trainer}`,
    );
    const { status, stdout } = await consilium('doctor', job, '--workspace', workspace, '--json');
    expect(status).toBe(0);
    const warned = JSON.parse(stdout).findings.filter(({ status }: { status: string }) => status === 'warning');
    expect(warned.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['job memory', 'job GPUs']),
    );
  });

  it('names what stands in the way of a job, with exit code 2', async () => {
    const { status, stdout } = await consilium(
      'doctor',
      join(workspace, 'none.yaml'),
      '--workspace',
      workspace,
      '--json',
    );
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    expect(stdout).toContain('none.yaml');
  });
});
