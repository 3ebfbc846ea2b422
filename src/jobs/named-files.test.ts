import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJobYaml, type JobFromYamlOptions } from './job-yaml';
import { checkFiles } from './named-files';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'consilium-files-'));
  writeFileSync(join(folder, 'there.safetensors'), '');
  writeFileSync(join(folder, 'client.ts'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const job = (model: string, workflow: string, rest = '') => `version: 1
name: demo
sites: [a]
workflow: ${workflow}
model: ${model}
trainer: {kind: script, script: ./client.ts}
${rest}`;
const loose = '{kind: tensors, tensors: {w: [1]}}';
const fedAvg = '{kind: fed-avg, rounds: 1, minSites: 1, keyMetric: loss, keyMetricMode: min}';
const crossSite = (file: string) =>
  `{kind: cross-site-eval, rounds: 1, minSites: 1, keyMetric: loss, checkpoints: {theirs: ${file}}}`;

function problemsOf(text: string, options: JobFromYamlOptions = {}): string[] {
  const check = checkJobYaml(text, { folder, ...options });
  return 'job' in check
    ? []
    : check.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe('a file that a job names', () => {
  it.each([
    ['the model', job('{kind: checkpoint, file: there.safetensors}', fedAvg)],
    ['further models to score', job(loose, crossSite('there.safetensors'))],
    ['the training code', job(loose, fedAvg)],
  ])('may be %s', (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ['the model', job('{kind: checkpoint, file: gone.pt}', fedAvg), /^5:33 model\.file: there is no file 'gone\.pt'; /],
    [
      'the start of a network',
      job('{kind: segresnet}', fedAvg, 'initialCheckpoint: gone.pt'),
      /^7:20 initialCheckpoint: there is no file 'gone\.pt'/,
    ],
    [
      'a further model to score',
      job(loose, crossSite('gone.pt')),
      /^4:\d+ workflow\.checkpoints\.theirs: there is no file 'gone\.pt'; it was looked for in '.*Name a \.safetensors/,
    ],
    [
      'the training code',
      job(loose, fedAvg).replace('client.ts', 'gone.ts'),
      /^6:33 trainer\.script: the script '\.\/gone\.ts' does not exist/,
    ],
  ])('is looked for before anything runs: %s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(expected)]);
  });

  it('is missed beside other mistakes too', () => {
    const text = job('{kind: checkpoint, file: gone.pt}', fedAvg.replace('rounds: 1', 'rounds: -1'), 'sead: 1');
    expect(problemsOf(text.replace('client.ts', 'gone.ts'))).toEqual([
      expect.stringContaining('workflow.rounds'),
      expect.stringContaining('model.file'),
      expect.stringContaining('trainer.script'),
      expect.stringContaining("Did you mean 'seed'?"),
    ]);
  });

  it('is not needed without the folder, to read what has run, and, where it is a model, at a site', () => {
    const text = job('{kind: checkpoint, file: gone.pt}', fedAvg);
    expect(problemsOf(text, { needsFiles: false })).toEqual([]);
    expect(problemsOf(text, { onlySite: 'a' })).toEqual([]);
    expect(problemsOf(text.replace('client.ts', 'gone.ts'), { onlySite: 'a' })).toHaveLength(1);
    expect('job' in checkJobYaml(text)).toBe(true);
  });

  it('ends a run before its first round', () => {
    const spec = { workflow: { kind: 'cross-site-eval', checkpoints: { theirs: 'gone.pt' } } };
    expect(() => checkFiles(spec, folder)).toThrow("workflow.checkpoints.theirs: there is no file 'gone.pt'");
  });
});
