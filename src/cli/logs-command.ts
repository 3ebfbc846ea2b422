import type { Command } from 'commander';
import { decodeEntry, encodeEntry, type RunEntry } from '../protocol/run-event';
import type { JobStanding } from '../runtime/admin/follow-job';
import { eventLine } from './event-line';
import { jobIdOf, wholeNumber } from './flags';
import { followLines, reportEnd } from './follow-lines';
import { printJson } from './print-json';
import { type Asked, askingCommand, type KitFlags, withServer } from './with-server';

interface LogsFlags extends KitFlags {
  readonly follow?: boolean;
  readonly from: number;
}

/** `consilium logs <job>`: what has happened in a job. */
export function logsCommand(): Command {
  return askingCommand(
    'logs',
    '{job, state, reason, entries: [{n, time, event}]}; with --follow, once the job has ended, without entries',
    'npx consilium logs brats18_4-1f0a9c3e --follow --kit out/kits/ada',
  )
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .option('--follow', 'go on until the job has ended; exit code 1 when it did not finish')
    .option('--from <n>', 'number of the first entry', wholeNumber(0), 0)
    .action(async (job: string, flags: LogsFlags) => {
      const out = flags.json ? process.stderr : process.stdout;
      await withServer(flags, async (asked) => {
        if (flags.follow) {
          const end = await followLines(job, asked, out);
          if (flags.json) printJson({ job, ...end });
          return reportEnd(job, end);
        }
        const { entries, standing } = await readLog(job, flags.from, asked);
        if (flags.json) printJson({ job, ...standing, entries: entries.map(encodeEntry) });
        else for (const entry of entries) out.write(`${eventLine(entry) ?? ''}\n`.replace(/^\n$/, ''));
      });
    });
}

async function readLog(job: string, from: number, { client }: Asked) {
  const entries: RunEntry[] = [];
  let standing: JobStanding | undefined;
  for await (const page of client.pages('logs', { job, from, follow: false })) {
    entries.push(...page.entries.map(decodeEntry));
    standing = { state: page.state, reason: page.reason };
  }
  return { entries, standing };
}
