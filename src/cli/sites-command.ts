import type { Command } from 'commander';
import type { SiteStatusInfo } from '../protocol/admin-api';
import { formatDuration } from './describe-round';
import { table } from './job-lines';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

/** `consilium sites`: the sites of the project, and whether they are there. */
export function sitesCommand(): Command {
  return askingCommand(
    'sites',
    '{sites: [{name, org, connected, seconds, software, resources, jobs}]}',
    'npx consilium sites --kit out/kits/ada',
  ).action(async (flags: KitFlags) => {
    const sites = await withServer(flags, async ({ client }) => {
      const all: SiteStatusInfo[] = [];
      for await (const page of client.pages('sites', {})) all.push(...page.sites);
      return all;
    });
    if (flags.json) printJson({ sites });
    else process.stdout.write(table([['site', 'organisation', '', 'for', 'offers', 'jobs'], ...sites.map(row)]));
  });
}

function row({ name, org, connected, seconds, resources, jobs }: SiteStatusInfo): string[] {
  const offers = resources ? `${resources.slots} slots, ${resources.memoryMb} MB, ${resources.gpus} GPUs` : '';
  const since = seconds === undefined ? '' : formatDuration(seconds);
  return [name, org, connected ? 'connected' : 'not connected', since, offers, jobs.join(' ')];
}
