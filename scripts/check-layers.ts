/** Fails when a folder of src/ imports one that it may not know. The order below is the architecture. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Each folder may import those above it, never one below. */
const layers = [
  'errors.ts',
  'util',
  'tensor',
  'privacy',
  'statistics',
  'jobs',
  'graph',
  'imaging',
  'protocol',
  'recipes',
  'onnx',
  'nn',
  'filters',
  'aggregators',
  'transport',
  'executors',
  'workflows',
  'tracking',
  'runtime',
  'cli',
] as const;

/** Imports that point upwards and are forbidden all the same. */
const forbidden: Record<string, readonly string[]> = {
  recipes: layers.filter((name) => name !== 'jobs' && name !== 'errors.ts'),
  workflows: ['transport', 'onnx', 'nn'],
  filters: ['transport'],
  aggregators: ['transport'],
};

/** Packages that only one folder may import. */
const packages: Record<string, readonly string[]> = {
  'onnxruntime-node': ['onnx'],
  yaml: ['jobs'],
  ws: ['transport'],
  '@peculiar/x509': ['runtime'],
  'prom-client': ['runtime'],
  tsyringe: ['runtime'],
  'reflect-metadata': ['runtime'],
  protobufjs: ['util'],
  echarts: ['tracking'],
  pngjs: ['tracking'],
  commander: ['cli'],
  'cli-progress': ['cli'],
  picocolors: ['cli'],
};

const root = process.argv[2] ?? 'src';
const level = new Map<string, number>(layers.map((name, i) => [name, i]));
const problems: string[] = [];

for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file === 'index.ts') continue;
  checkFile(file);
}

function checkFile(file: string): void {
  const from = file.split(sep)[0]!;
  const source = readFileSync(join(root, file), 'utf8');
  if (!level.has(from)) problems.push(`${file}: ${from} has no place in the layers of scripts/check-layers.ts`);
  for (const [, specifier] of source.matchAll(/\b(?:from|import|require)\s*\(?\s*['"`]([^'"`]+)['"`]/g)) {
    if (specifier!.startsWith('.')) checkFolder(file, from, specifier!);
    else checkPackage(file, from, specifier!);
  }
  const takesProcess = /\bprocess\.(argv|exit)\b|['"`](node:)?process['"`]/;
  if (from !== 'cli' && takesProcess.test(source)) {
    problems.push(`${file} uses process.argv or process.exit: only cli and the scripts in jobs/ may`);
  }
}

function checkFolder(file: string, from: string, specifier: string): void {
  const target = relative(root, join(root, dirname(file), specifier));
  const first = target.split(sep)[0]!;
  const to = level.has(first) ? first : `${first}.ts`;
  if (to === from) return;
  const above = (level.get(to) ?? Number.POSITIVE_INFINITY) < (level.get(from) ?? -1);
  if (!above || forbidden[from]?.includes(to)) problems.push(`${file} imports ${target}: ${from} may not know ${to}`);
}

function checkPackage(file: string, from: string, specifier: string): void {
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
  const allowed = packages[name];
  if (allowed && !allowed.includes(from)) problems.push(`${file} imports ${name}: only ${allowed.join(', ')} may`);
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'layers: in order' : `layers: ${problems.length} imports out of order`);
process.exitCode = problems.length > 0 ? 1 : 0;
