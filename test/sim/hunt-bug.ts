/**
 * Plants a bug in a copy of the sources, and runs simulations there until one of them goes wrong.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Edit, PlantedBug } from './planted-bugs';

export interface Copy {
  readonly folder: string;
  remove(): Promise<void>;
}

export interface Found {
  readonly seed: number;
  readonly violation: string;
}

/** A seed that takes longer than that, milliseconds, goes round in circles. */
const longestSeedMs = 60_000;

/** A copy of all that the simulation needs, to be changed. */
export async function makeCopy(root: string, parent: string): Promise<Copy> {
  const folder = await mkdtemp(join(parent, 'consilium-mutants-'));
  for (const name of ['src', 'test/sim', 'test/support', 'tsconfig.json', 'package.json']) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** The first seed at which the bug shows; `undefined` when it does not. The copy is as before afterwards. */
export async function huntBug({ folder }: Copy, { edits }: PlantedBug, seeds: number): Promise<Found | undefined> {
  const files = [...new Set(edits.map(({ file }) => join(folder, file)))];
  const before = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  try {
    for (const { file, ...edit } of edits) {
      const path = join(folder, file);
      await writeFile(path, applied(await readFile(path, 'utf8'), { file, ...edit }));
    }
    return await firstFailure(folder, seeds);
  } finally {
    await Promise.all(files.map((file, i) => writeFile(file, before[i]!)));
  }
}

/** The source with an edit. @throws Error unless what is to be replaced stands there just once. */
export function applied(source: string, { file, find, replace }: Edit): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`In '${file}' there was to be one '${find}', and there are ${parts.length - 1}.`);
  return parts.join(replace);
}

function firstFailure(folder: string, seeds: number): Promise<Found | undefined> {
  return new Promise((resolve, reject) => {
    const loader = ['-r', join(folder, 'node_modules/ts-node/register/transpile-only')];
    const script = [join(folder, 'test/sim/main.ts'), '--until-first', '--seeds', String(seeds)];
    const child = spawn(process.execPath, [...loader, ...script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let seed = 0;
    let found: Found | undefined;
    let errors = '';
    let timer = setTimeout(stuck, longestSeedMs);

    function stuck(): void {
      found = { seed, violation: `The simulation does not end within ${longestSeedMs / 1000} s.` };
      child.kill('SIGKILL');
    }

    createInterface(child.stdout).on('line', (line) => {
      clearTimeout(timer);
      timer = setTimeout(stuck, longestSeedMs);
      const [, number, violation] = /^seed=(\d+)(?:: (.*))?$/.exec(line) ?? [];
      if (number === undefined) return;
      seed = Number(number);
      if (violation !== undefined) found ??= { seed, violation: violation.slice(0, 200) };
    });
    child.stderr.on('data', (text) => {
      errors = `${errors}${text}`.slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (found !== undefined || code === 0) resolve(found);
      else if (/TSError|Cannot find module|SyntaxError/.test(errors)) reject(new Error(errors));
      else resolve({ seed, violation: `The process of the simulation ends: ${errors.trim().split('\n').at(-1)}` });
    });
  });
}
