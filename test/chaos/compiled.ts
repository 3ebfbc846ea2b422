/**
 * The product as a package has it, compiled: many processes start in a short time, on few cores.
 *
 * @module
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const project = join(__dirname, '..', '..');

export interface Compiled {
  /** The `consilium` command. */
  readonly bin: string;
  /** Compiled files of the chaos tests. */
  readonly tamper: string;
  readonly toyClient: string;
}

let made: (Compiled & { readonly folder: string }) | undefined;

/** Compiled once in this process; {@link removeCompiled} removes it. */
export function compiled(): Compiled {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'consilium-compiled-'));
  for (const name of readdirSync(join(project, 'src'), { recursive: true }).map(String)) {
    if (name.endsWith('.ts') && !name.endsWith('.test.ts')) {
      compile(join(project, 'src', name), join(folder, 'dist', 'src', name.replace(/\.ts$/, '.js')));
    }
  }
  cpSync(join(project, 'bin'), join(folder, 'bin'), { recursive: true });
  cpSync(join(project, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  const ours = (name: string) => {
    compile(join(__dirname, `${name}.ts`), join(folder, 'test', `${name}.js`));
    return join(folder, 'test', `${name}.js`);
  };
  made = { folder, bin: join(folder, 'bin', 'consilium.js'), tamper: ours('tamper'), toyClient: ours('toy-client') };
  return made;
}

export function removeCompiled(): void {
  if (made !== undefined) rmSync(made.folder, { recursive: true });
  made = undefined;
}

function compile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, esModuleInterop: true };
  writeFileSync(to, ts.transpileModule(readFileSync(from, 'utf8'), { compilerOptions, fileName: from }).outputText);
}
