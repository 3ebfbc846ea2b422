import type { Command } from 'commander';
import { jobIdOf } from './flags';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

/** `consilium delete <job>`: removes a job that has ended, with all its files, from the server. */
export function deleteCommand(): Command {
  return askingCommand('delete', '{job}', 'npx consilium delete brats18_4-1f0a9c3e --kit out/kits/ada')
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .action(async (job: string, flags: KitFlags) => {
      const result = await withServer(flags, ({ client, signal }) => client.call('delete', { job }, signal));
      if (flags.json) printJson(result);
      else process.stdout.write(`${job} is removed from the server\n`);
    });
}
