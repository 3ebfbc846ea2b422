/**
 * Benchmarks: `npm run bench`, or `npm run bench -- NAME...` for some of them. Figures are of this machine at this moment;
 * compare ratios within one run. `train` takes `--only TEXT`, for some of its rows,
 * `--provider NAME`, and `--json FILE`.
 */
import { parseArgs } from 'node:util';
import { mainJob } from './brats18';
import { federationBench, federationRows } from './federation/federation';
import { framework } from './framework';
import { metrics } from './metrics';
import { start } from './start';
import { filters } from './svt';
import { trainCommand } from './train/train';
import { wire } from './wire/wire';

const benchmarks: Readonly<Record<string, () => Promise<unknown>>> = {
  brats18: mainJob,
  start,
  framework,
  svt: filters,
  metrics,
  wire,
  federation: federationBench,
  ...Object.fromEntries(Object.entries(federationRows).map(([name, row]) => [`federation:${name}`, row])),
};

async function main(args: string[]): Promise<void> {
  const options = { only: { type: 'string' }, provider: { type: 'string' }, json: { type: 'string' } } as const;
  const { positionals, values } = parseArgs({ args, options, allowPositionals: true });
  const known = [...Object.keys(benchmarks), 'train'];
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; the benchmarks are ${known.join(', ')}`);
  for (const name of positionals.length > 0 ? positionals : known) {
    if (name === 'train') await trainCommand(values);
    else console.log(name, JSON.stringify(await benchmarks[name]!()));
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
