import { WorkspaceError } from '../errors';
import { mostJobsOfHello, type SiteJobState } from '../protocol/wire/messages';

/**
 * Which of its jobs a site tells its server of when it connects: all that it takes part in, and of those that it has refused as
 * many as a hello has room for. A server tells of each that is over, which is then told no more: what has no room has it later.
 * A job that has ended here ended because the server said so, and nothing of it is news to anybody.
 *
 * @param states with those that were refused first before later ones: they are the likeliest to be over
 * @throws WorkspaceError when the site takes part in more jobs than a hello can hold.
 */
export function jobsToTell(states: readonly SiteJobState[]): SiteJobState[] {
  const accepted = states.filter(({ state }) => state === 'accepted');
  if (accepted.length > mostJobsOfHello) throw tooMany(accepted.length);
  const refused = states.filter(({ state }) => state === 'refused');
  return [...accepted, ...refused.slice(0, mostJobsOfHello - accepted.length)];
}

function tooMany(jobs: number): WorkspaceError {
  const message = `This site takes part in ${jobs} jobs that have not ended, and can tell its server of ${mostJobsOfHello} at most.`;
  const ended = 'whose state in `consilium jobs` is finished, failed or aborted, or that are not listed there';
  return new WorkspaceError(message, {
    hint: `Stop the site, move the folders of jobs ${ended}, out of 'jobs' in its workspace to a place where they are kept, and start it again.`,
  });
}
