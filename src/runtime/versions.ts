import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Versions that a run depends on, for `meta.json` and the report. */
export function versions(): Readonly<Record<string, string>> {
  return {
    consilium: packageVersion(packageFolder()),
    onnxruntime: packageVersion(dirname(require.resolve('onnxruntime-node/package.json'))),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
}

function packageVersion(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Where this library is installed. */
export function packageFolder(): string {
  return findPackage(__dirname);
}

function findPackage(from: string): string {
  try {
    readFileSync(join(from, 'package.json'));
    return from;
  } catch {
    return findPackage(dirname(from));
  }
}
