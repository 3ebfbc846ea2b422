import type { SiteStatusInfo } from '../protocol/admin-api';
import { outColours } from './colours';
import { formatDuration } from './describe-round';
import { table } from './job-lines';

/** The sites of a project for people, a line each. */
export function siteTable(sites: readonly SiteStatusInfo[]): string {
  return table([['site', 'organisation', '', 'for', 'offers', 'jobs', ''], ...sites.map(row)]);
}

function row({ name, org, connected, seconds, resources, jobs, usedTwice }: SiteStatusInfo): string[] {
  const offers = resources ? `${resources.slots} slots, ${resources.memoryMb} MB, ${resources.gpus} GPUs` : '';
  const since = seconds === undefined ? '' : formatDuration(seconds);
  const note = usedTwice ? outColours.yellow(twice) : '';
  return [name, org, connected ? 'connected' : 'not connected', since, offers, jobs.join(' '), note];
}

const twice = 'its startup kit is in use at two places: stop one; if one is not yours, revoke the kit';
