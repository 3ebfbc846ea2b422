import type { Command } from 'commander';
import { jobIdOf } from './flags';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

/** `consilium clone <job>`: runs the same content anew. */
export function cloneCommand(): Command {
  return askingCommand('clone', '{job, state}', 'npx consilium clone brats18_4-1f0a9c3e --kit out/kits/ada')
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .action(async (job: string, flags: KitFlags) => {
      const made = await withServer(flags, ({ client, signal }) => client.call('clone', { job }, signal));
      if (flags.json) printJson(made);
      else process.stdout.write(`${made.job} ${made.state}\n`);
    });
}
