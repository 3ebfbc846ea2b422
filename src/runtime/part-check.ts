import { ConfigError } from '../errors';
import { createFilter } from '../filters/registry';
import { payloadsAt } from '../jobs/job-checks';
import type { JobSpec } from '../jobs/job-spec';

/**
 * Makes every filter once, before anything runs: what the options alone cannot tell, such as what a filter of the user's own
 * accepts.
 *
 * @throws ConfigError naming the filter.
 */
export function checkParts(job: JobSpec): void {
  for (const placement of job.filters) {
    const { name, accepts } = createFilter(placement.filter);
    const refused = payloadsAt(placement, job).filter((kind) => !accepts.includes(kind));
    if (refused.length === 0) continue;
    throw new ConfigError(
      `Filter '${name}' at ${placement.at} accepts ${accepts.join(', ')}, but this job sends ${refused.join(', ')} there.`,
      { hint: "Name the tasks it is meant for with 'tasks', set trainer.transfer, or let the filter accept them." },
    );
  }
}
