/**
 * Runs many simulated federations: `npm run test:sim -- --seeds 10000`, or one again with all that happened: `--seed N`.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { runSeed } from './run-seed';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '10000' },
      from: { type: 'string', default: '0' },
      'until-first': { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined) {
    const { lines, violations, digest, plan } = await runSeed(Number(values.seed));
    console.log([JSON.stringify(plan), ...lines, '', ...violations, digest].join('\n'));
    process.exitCode = violations.length > 0 ? 1 : 0;
    return;
  }
  const from = Number(values.from);
  const seeds = Number(values.seeds);
  const started = performance.now();
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const { violations } = await runSeed(seed);
    if (values['until-first']) console.log(`seed=${seed}`); // Whoever waits sees that it goes on.
    if (violations.length === 0) continue;
    failed++;
    console.log(`seed=${seed}: ${violations[0]}${violations.length > 1 ? ` (and ${violations.length - 1} more)` : ''}`);
    if (values['until-first']) break;
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`${seeds} seeds from ${from}: ${failed} failed, ${seconds.toFixed(1)} s`);
  process.exitCode = failed > 0 ? 1 : 0;
}

void main();
