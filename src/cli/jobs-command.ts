import { type Command, Option } from 'commander';
import { type JobState, type JobSummary, jobStates } from '../protocol/admin-api';
import { jobTable } from './job-lines';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

interface JobsFlags extends KitFlags {
  readonly state?: JobState[];
}

/** `consilium jobs`: the jobs of the server. */
export function jobsCommand(): Command {
  return askingCommand(
    'jobs',
    '{jobs: [{job, name, state, reason, waitsFor, owner, submitted, since, round, rounds}]}',
    'npx consilium jobs --kit out/kits/ada --state running queued',
  )
    .addOption(new Option('--state <state...>', 'only jobs in these states').choices(jobStates))
    .action(async (flags: JobsFlags) => {
      const jobs = await withServer(flags, async ({ client }) => {
        const all: JobSummary[] = [];
        for await (const page of client.pages('jobs', flags.state ? { states: flags.state } : {}))
          all.push(...page.jobs);
        return all;
      });
      if (flags.json) printJson({ jobs });
      else process.stdout.write(jobTable(jobs));
    });
}
