import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { jobFromYaml } from './job-yaml';
import { loadModules, refuseWhileLoading } from './load-modules';

const folder = mkdtempSync(join(tmpdir(), 'consilium-modules-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const yaml = (module: string) => `
version: 1
name: own
modules: [${module}]
sites: [a]
workflow: { kind: fed-avg, rounds: 1, minSites: 1 }
model: { kind: tensors, tensors: { w: [1] } }
trainer: { kind: ward/trainer }
`;

describe("a job's modules", () => {
  it('are loaded from the folder of the job, once', () => {
    const loaded = Object.assign(globalThis, { loadedModules: [] as string[] }).loadedModules;
    const plain = write('plain.js', "globalThis.loadedModules.push('plain');");
    const common = write('common.cjs', "globalThis.loadedModules.push('common');");
    loadModules([plain, `./${common}`, join(folder, plain)], folder);
    expect(loaded).toEqual(['plain', 'common']);
  });

  it('in TypeScript need ts-node in the project that they lie in', () => {
    const load = () => loadModules([write('typed.ts', 'export const n: number = 1;')], folder);
    expect(load).toThrow("typed.ts' is .ts, which needs ts-node in the project it lies in.");
    expect(load).toThrow(expect.objectContaining({ hint: expect.stringContaining('npm install --save-dev ts-node') }));
  });

  it('that do not exist are an error that says where they were looked for', () => {
    const load = () => loadModules(['./none.ts'], folder);
    expect(load).toThrow(`The job's module './none.ts' does not exist; it was looked for in '${folder}'.`);
  });

  it('that throw are an error that names the file, with their own error as its cause', () => {
    const file = write('broken.js', "throw new TypeError('no table');");
    const load = () => loadModules([file], folder);
    expect(load).toThrow(`'${join(folder, file)}' could not be loaded: no table`);
    expect(load).toThrow(expect.objectContaining({ cause: expect.any(TypeError) }));
  });

  it('may not start a run', () => {
    const start = Object.assign(globalThis, { startRun: refuseWhileLoading }).startRun;
    const file = write('starts.js', 'globalThis.startRun();');
    expect(() => loadModules([file], folder)).toThrow('starts a run when it is loaded as a module of a job');
    expect(start).not.toThrow();
  });

  it('named in a job file are loaded only for someone who gave its folder', () => {
    const file = write('defines-nothing.js', '');
    expect(() => jobFromYaml(yaml(file))).toThrow(
      'job.yaml:4:10: modules: these are code; give the folder of the job file',
    );
    const allowed = () => jobFromYaml(yaml(file), 'job.yaml', { folder });
    expect(allowed).toThrow("job.yaml:8:18: trainer.kind: there is no trainer 'ward/trainer'");
  });

  it('that throw are told with the line of the job file that names them', () => {
    const file = write('also-broken.js', "throw new Error('no table');");
    const read = () => jobFromYaml(yaml(file), 'job.yaml', { folder });
    expect(read).toThrow(
      /job\.yaml:4:10: modules: '.*also-broken\.js' could not be loaded: no table\. Correct the file/,
    );
  });
});
