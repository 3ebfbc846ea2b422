/**
 * Plants each bug of the list in a copy of the sources, and runs the simulation there until it finds it:
 * `npm run test:mutants`, or only those whose names hold a text, or without the first ones: `-- --only ledger`, `-- --skip 20`.
 *
 * @module
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { huntBug, makeCopy } from './hunt-bug';
import { plantedBugs } from './planted-bugs';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      skip: { type: 'string', default: '0' },
      seeds: { type: 'string', default: '10000' },
    },
  });
  const bugs = plantedBugs.slice(Number(values.skip)).filter(({ name }) => name.includes(values.only));
  const copy = await makeCopy(join(__dirname, '../..'), tmpdir());
  let missed = 0;
  try {
    for (const bug of bugs) {
      const found = await huntBug(copy, bug, Number(values.seeds));
      if (found === undefined) missed++;
      const where = found ? `seed ${found.seed}`.padEnd(10) : 'NOT FOUND ';
      console.log(`${where} ${bug.breaks.padEnd(5)} ${bug.name}${found ? `\n             ${found.violation}` : ''}`);
    }
  } finally {
    await copy.remove();
  }
  console.log(`${bugs.length - missed} of ${bugs.length} planted bugs found.`);
  process.exitCode = missed > 0 ? 1 : 0;
}

void main();
