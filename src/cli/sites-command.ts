import type { Command } from 'commander';
import type { SiteStatusInfo } from '../protocol/admin-api';
import { printJson } from './print-json';
import { siteTable } from './site-table';
import { askingCommand, type KitFlags, withServer } from './with-server';

/** `consilium sites`: the sites of the project, and whether they are there. */
export function sitesCommand(): Command {
  return askingCommand(
    'sites',
    '{sites: [{name, org, connected, seconds, software, resources, jobs, usedTwice}]}',
    'npx consilium sites --kit out/kits/ada',
  ).action(async (flags: KitFlags) => {
    const sites = await withServer(flags, async ({ client }) => {
      const all: SiteStatusInfo[] = [];
      for await (const page of client.pages('sites', {})) all.push(...page.sites);
      return all;
    });
    if (flags.json) printJson({ sites });
    else process.stdout.write(siteTable(sites));
  });
}
