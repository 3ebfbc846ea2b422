import type { Command } from 'commander';
import { jobIdOf } from './flags';
import { stateText } from './job-lines';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

interface AbortFlags extends KitFlags {
  readonly site?: string;
  readonly reason?: string;
}

/** `consilium abort <job>`: ends a job. */
export function abortCommand(): Command {
  return askingCommand('abort', '{job, state}', 'npx consilium abort brats18_4-1f0a9c3e --kit out/kits/ada')
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .option('--site <name>', 'end only the part of this site, as its site-admin may')
    .option('--reason <text>', 'why, for everybody who asks')
    .addHelpText('after', '\nFinished rounds are kept, and can be downloaded.')
    .action(async (job: string, { site, reason, ...flags }: AbortFlags) => {
      const params = { job, ...(site !== undefined && { site }), ...(reason !== undefined && { reason }) };
      const result = await withServer(flags, ({ client, signal }) => client.call('abort', params, signal));
      if (flags.json) printJson(result);
      else if (site !== undefined) process.stdout.write(`${site} takes no further part in ${job}\n`);
      else process.stdout.write(`${job} ${stateText(result.state)}\n`);
    });
}
