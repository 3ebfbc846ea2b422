import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicApi } from '../../scripts/public-api';
import { installPacked } from '../support/packed-package';
import { outputOf, runProgram } from '../support/run-program';

/** A package that uses Consilium; outside this project, so that nothing is found by looking upwards. */
let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'consilium-package-')));
  await installPacked(folder);
  // What a user of TypeScript has.
  for (const name of ['ts-node', 'typescript']) {
    symlinkSync(join(process.cwd(), 'node_modules', name), join(folder, 'node_modules', name), 'junction');
  }
});
afterAll(() => rm(folder, { recursive: true }));

const recipe = 'new FedAvgRecipe(options).job.sites.join()';
const options = `{
  name: 'tiny', sites: 2, rounds: 1, model: { kind: 'segresnet', initFilters: 8 },
  trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [32, 32, 32] },
  data: { kind: 'brats18-phantom', sites: 2, casesPerSite: 1, validationCases: 1, shape: [32, 32, 32] },
}`;

describe('the packed package', () => {
  it('is required from CommonJS', async () => {
    write(
      'common.cjs',
      `const { FedAvgRecipe } = require('consilium'); const options = ${options}; console.log(${recipe});`,
    );
    expect(await node('common.cjs')).toBe('site-1,site-2\n');
  });

  it('gives the same names to an ESM import as to CommonJS', async () => {
    write(
      'names.mjs',
      `import { createRequire } from 'node:module';
      import * as imported from 'consilium';
      import { FedAvgRecipe, SimEnv } from 'consilium';
      const required = createRequire(import.meta.url)('consilium');
      const missing = Object.keys(required).filter((name) => imported[name] !== required[name]);
      console.log(JSON.stringify({ missing, same: FedAvgRecipe === required.FedAvgRecipe && SimEnv === required.SimEnv }));`,
    );
    expect(JSON.parse(await node('names.mjs'))).toEqual({ missing: [], same: true });
  });

  it('has no other entry: what is not exported stays ours to change', async () => {
    write('deep.cjs', `try { require('consilium/dist/src/nn/trainer'); } catch (error) { console.log(error.code); }`);
    expect(await node('deep.cjs')).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it.each([
    ['nodenext', 'commonjs'],
    ['nodenext', 'module'],
    ['bundler', 'module'],
  ])('has complete types with moduleResolution %s in a package of type %s', async (resolution, type) => {
    const name = `${resolution}-${type}`;
    write(join(name, 'package.json'), JSON.stringify({ type }));
    write(join(name, 'tsconfig.json'), tsconfig(resolution));
    write(join(name, 'main.ts'), typescript);
    await compile(name);
    expect(await node(join(name, 'main.js'))).toBe('site-1,site-2\n');
  });

  it('has the public API of docs/reference/api.md, which npm run api writes', () => {
    const entry = join(folder, 'node_modules', 'consilium', 'dist', 'src', 'index.d.ts');
    expect(publicApi(entry)).toBe(readFileSync(join('docs', 'reference', 'api.md'), 'utf8'));
  });

  it('runs a job, with its workers, from what was compiled', async () => {
    write(
      'job.mjs',
      `import { FedAvgRecipe, SimEnv } from 'consilium';
      const run = new FedAvgRecipe(${options}).execute(new SimEnv({ workspace: 'runs' }));
      const kinds = new Set();
      for await (const event of run.events()) kinds.add(event.kind);
      const { outcome, rounds } = await run.result();
      console.log(JSON.stringify({ outcome, rounds, kinds: [...kinds].sort() }));`,
    );
    const result = JSON.parse(await node('job.mjs'));
    expect(result).toMatchObject({ outcome: 'finished', rounds: 1 });
    expect(result.kinds).toEqual(expect.arrayContaining(['done', 'progress', 'round-finished', 'started']));
  });

  it.each([
    ['common.js', 'commonjs', 'nodenext'],
    ['common.ts', 'commonjs', 'bundler'],
    ['module.js', 'module', 'nodenext'],
    ['module.mjs', 'commonjs', 'nodenext'],
    ['common.cts', 'module', 'nodenext'],
  ])('runs a training script %s in a package of type %s', async (script, type, resolution) => {
    const name = `script-${script.replace('.', '-')}`;
    const isModule = script.startsWith('module');
    write(join(name, 'package.json'), JSON.stringify({ type }));
    write(join(name, 'tsconfig.json'), tsconfig(resolution));
    const typed = script.endsWith('ts');
    const imports =
      isModule || typed ? "import { float32 } from 'consilium';" : "const { float32 } = require('consilium');";
    const types = typed ? "import type { ScriptSite } from 'consilium';" : '';
    const head = isModule || typed ? 'export default' : 'module.exports =';
    write(
      join(name, script),
      `${imports} ${types} ${head} async function train(site${typed ? ': ScriptSite' : ''}) {
        for await (const task of site.tasks()) {
          if (task.kind === 'validate') await task.reply({ metrics: { val_dice: 0.5 } });
          else await task.reply({ weights: new Map([['w', float32([1], [7])]]), steps: 1 });
        }
      }`,
    );
    write(
      join(name, 'job.mjs'),
      `import { FedAvgRecipe, floatsOf, loadModelFile, SimEnv } from 'consilium';
      const model = { kind: 'tensors', tensors: { w: [1] } };
      const run = new FedAvgRecipe({ name: 'job', sites: 2, rounds: 1, model, trainScript: './${script}', folder: '${name}' })
        .execute(new SimEnv({ workspace: '${name}' }));
      const { files } = await run.result();
      console.log(floatsOf((await loadModelFile(files.final_safetensors)).tensors.get('w'))[0]);`,
    );
    if (typed) await compile(name, ['--noEmit']);
    expect(await node(join(name, 'job.mjs'))).toBe('7\n');
  });

  it('says what to do with a training script that Node.js cannot read: an ES module in TypeScript', async () => {
    const canRead = Number(process.versions.node.split('.')[0]) >= 24;
    write(join('esm-ts', 'package.json'), JSON.stringify({ type: 'module' }));
    write(join('esm-ts', 'client.ts'), 'export default async function train(site: unknown) {}');
    write(
      join('esm-ts', 'job.mjs'),
      `import { FedAvgRecipe, SimEnv } from 'consilium';
      const model = { kind: 'tensors', tensors: { w: [1] } };
      const run = new FedAvgRecipe({ name: 'job', sites: 1, rounds: 1, model, trainScript: 'client.ts', folder: 'esm-ts' })
        .execute(new SimEnv({ workspace: 'esm-ts' }));
      await run.result().catch(({ cause }) => console.log(cause.message, cause.hint));`,
    );
    const expected = canRead
      ? 'ended its loop'
      : "'client.ts' is an ES module in TypeScript, which this Node.js cannot read.";
    expect(await node(join('esm-ts', 'job.mjs'))).toContain(expected);
  });

  it.each(['own.cjs', 'own.mjs', 'own.ts'])("runs a job file with a part of the user's own in %s", async (module) => {
    const name = module.replace('.', '-');
    const imports =
      module === 'own.cjs'
        ? "const { defineTrainer, mapFloats, z } = require('consilium');"
        : "import { defineTrainer, mapFloats, z } from 'consilium';";
    write(
      join(name, module),
      `${imports}
      ${module === 'own.cjs' ? 'exports.adds =' : 'export const adds ='} defineTrainer({
        module: ${module === 'own.mjs' ? 'import.meta.url' : '__filename'},
        kind: 'ward/adds',
        options: z.strictObject({ by: z.number() }),
        siteConfig: z.number().nullable(),
        create: ({ by }, { config }) => ({
          train: async ({ model }) => ({ weights: mapFloats(model, (x) => x + by * (config ?? 1)), steps: 1 }),
        }),
      });`,
    );
    write(join(name, 'tsconfig.json'), tsconfig('nodenext'));
    write(join(name, 'package.json'), '{}');
    if (module === 'own.ts') await compile(name, ['--noEmit']);
    write(
      join(name, 'job.yaml'),
      `version: 1
name: own
modules: [./${module}]
sites: [a, b]
workflow: { kind: fed-avg, rounds: 2, minSites: 2 }
model: { kind: tensors, tensors: { w: [1] } }
trainer: { kind: ward/adds, by: 2 }
siteConfig: { b: 3 }
`,
    );
    // In this process, and between a server and sites that have got the file with the job.
    for (const where of ['simulate', 'poc']) {
      const out = await outputOf(
        'npx',
        ['consilium', where, join(name, 'job.yaml'), '--workspace', join(name, where), '--json'],
        folder,
      );
      const { files } = JSON.parse(out);
      const { byteLength } = readFileSync(files.final_safetensors);
      // 2 rounds of the mean of 2 and 6; the last four bytes are the one number.
      expect(readFileSync(files.final_safetensors).readFloatLE(byteLength - 4), where).toBe(8);
    }
  });

  it('brings the command', async () => {
    expect(await outputOf('npx', ['consilium', '--help'], folder)).toContain('Usage: consilium');
    const models = JSON.parse(await outputOf('npx', ['consilium', 'model', 'list', '--json'], folder));
    expect(models.models).toContainEqual(expect.objectContaining({ kind: 'segresnet' }));
  });

  it('prints the help of the command without loading the library', async () => {
    write(
      'help.cjs',
      `process.argv.push('--help');
      process.on('exit', () => {
        const own = Object.keys(require.cache).map((file) => /consilium.dist.src.(\\w+)/.exec(file)?.[1]);
        process.stderr.write(JSON.stringify([...new Set(own.filter((name) => name !== undefined))]));
      });
      require('./node_modules/consilium/bin/consilium.js');`,
    );
    const { stdout, stderr } = await runProgram(process.execPath, ['help.cjs'], folder);
    expect(stdout).toContain('simulate');
    expect(JSON.parse(stderr)).toEqual(['cli', 'errors']);
  });
});

/** Correct use compiles; wrong use does not, which shows that nothing is `any`. */
const typescript = `
import { FedAvgRecipe, type FedAvgRecipeOptions, type JobSpec, type Run, type RunEvent, SimEnv } from 'consilium';

const options: FedAvgRecipeOptions = ${options};
const job: JobSpec = new FedAvgRecipe(options).job;
console.log(job.sites.join());

export async function follow(): Promise<number> {
  const run: Run = new FedAvgRecipe(options).execute(new SimEnv({ threads: 1 }));
  for await (const event of run.events()) console.log(describe(event));
  return (await run.result()).rounds;
}

function describe(event: RunEvent): string {
  return event.kind === 'round-finished' ? \`round \${event.round} took \${event.seconds.toFixed(1)} s\` : event.kind;
}

// @ts-expect-error an option that there is not
export const unknownOption: FedAvgRecipeOptions = { ...options, round: 3 };
// @ts-expect-error a model that there is not
export const unknownModel: FedAvgRecipeOptions['model'] = { kind: 'segresnot' };
// @ts-expect-error rounds are a number
export const rounds: string = job.workflow.rounds;
// @ts-expect-error events have no such kind
export const kind: RunEvent['kind'] = 'finished';
`;

function tsconfig(moduleResolution: string): string {
  const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
  return JSON.stringify({
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023'],
      module,
      moduleResolution,
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    },
  });
}

async function compile(name: string, flags: readonly string[] = []): Promise<void> {
  await outputOf(process.execPath, [require.resolve('typescript/bin/tsc'), '--project', name, ...flags], folder);
}

function node(file: string): Promise<string> {
  return outputOf(process.execPath, [file], folder);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}
