/**
 * Benchmarks: `npm run bench`, or `npm run bench -- NAME...` for some of them. Figures are of this machine at this moment;
 * compare ratios within one run.
 */
import { mainJob } from './brats18';
import { framework } from './framework';
import { startToFirstStep } from './start';
import { filters } from './svt';
import { train } from './train';

const benchmarks: Readonly<Record<string, () => Promise<unknown>>> = {
  brats18: mainJob,
  start: startToFirstStep,
  framework,
  svt: filters,
  train: () => train(),
};

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in benchmarks));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; the benchmarks are ${Object.keys(benchmarks).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
    console.log(name, JSON.stringify(await benchmarks[name]!()));
  }
}

void main(process.argv.slice(2).filter((word) => !word.startsWith('-')));
