import type { Command } from 'commander';
import { jobIdOf } from './flags';
import { jobText } from './job-lines';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

/** `consilium show <job>`: all that the server knows of a job. */
export function showCommand(): Command {
  return askingCommand(
    'show',
    'the job: state, reason, history, what each site says of it, whom it waits for and since when',
    'npx consilium show brats18_4-1f0a9c3e --kit out/kits/ada',
  )
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .action(async (job: string, flags: KitFlags) => {
      const details = await withServer(flags, ({ client, signal }) => client.call('show', { job }, signal));
      if (flags.json) printJson(details);
      else process.stdout.write(jobText(details));
    });
}
