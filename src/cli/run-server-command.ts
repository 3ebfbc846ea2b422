import { join, resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { ConfigError } from '../errors';
import type { Environment } from '../jobs/environment';
import { tenStrategies } from '../recipes/strategies';
import { abortableRun } from '../runtime/abortable-run';
import { serveHere } from '../runtime/federation/serve-here';
import { portNumber } from './flags';
import { readMriTranslationFlags } from './mri-translation-flags';
import { runJob } from './run-job';

/** Where the kits of these federations lie in a workspace. */
export const translationKits = 'mri-federation';

/** `consilium run-server <port> <strategy>`: the MRI translation job at a server, until it has ended. */
export function runServerCommand(): Command {
  return new Command('run-server')
    .addArgument(new Argument('<port>', 'where sites dial').argParser(portNumber))
    .argument('<strategy>', `how the sites learn from each other: ${tenStrategies.join(', ')}, …`)
    .argument('[flags...]', 'those of jobs/mri-translation.ts: --translation, --sites, --n_rounds, …')
    .allowUnknownOption()
    .passThroughOptions()
    .exitOverride()
    .addHelpText(
      'after',
      `
Example, each line in a terminal of its own:
  npx consilium run-server 8084 fedbadam --sites hgg lgg
  npx consilium run-client DATA/hgg hgg 127.0.0.1:8084 fedbadam
  npx consilium run-client DATA/lgg lgg 127.0.0.1:8084 fedbadam

It makes the startup kits of the sites in ${join('consilium-workspace', translationKits, 'kits')}. A site on another machine gets its folder
from there, by a way that keeps it secret. The server ends with the job; what was under way goes on at the next start.`,
    )
    .action(serve);
}

async function serve(port: number, strategy: string, flags: readonly string[]): Promise<void> {
  if (strategy === 'all') {
    throw new ConfigError('A server runs one strategy at a time.', { hint: 'Name one of them.' });
  }
  // Where its slices are, every site says itself.
  const {
    recipes,
    workspace = 'consilium-workspace',
    json,
  } = readMriTranslationFlags([...['--strategy', strategy, '--data_dir', 'slices'], ...flags]);
  const { job } = recipes[0];
  const options = {
    port,
    workspace: resolve(workspace),
    folder: resolve(workspace, translationKits),
    jobFolder: process.cwd(),
  };
  const environment: Environment = {
    run: (one, { signal } = {}) =>
      abortableRun(one.name, { signal, hint: 'Start the server again to go on.' }, (work) =>
        serveHere(one, options, work),
      ),
  };
  await runJob({ job, json, environment });
}
