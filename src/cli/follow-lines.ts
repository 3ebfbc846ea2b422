/**
 * A job that is followed on the command line, to its end.
 *
 * @module
 */
import { hasEnded } from '../protocol/admin-api';
import { reasonText } from '../protocol/queue-text';
import { followJob, type JobStanding } from '../runtime/admin/follow-job';
import { nodeClock } from '../util/clock';
import { eventLine } from './event-line';
import { stateText } from './job-lines';
import type { Asked } from './with-server';

/** Prints what happens in a job, and returns how it has ended. The job goes on when this is stopped. */
export async function followLines(
  job: string,
  { connect, signal, kitWord }: Pick<Asked, 'connect' | 'signal' | 'kitWord'>,
  out: NodeJS.WritableStream,
): Promise<JobStanding> {
  const lost = ({ message }: Error, retryMs: number) =>
    process.stderr.write(`${message} Trying again in ${retryMs / 1000} s.\n`);
  const entries = followJob(job, { connect, clock: nodeClock, lost, signal });
  try {
    for (;;) {
      const { value, done } = await entries.next();
      if (done) return value;
      const line = eventLine(value);
      if (line !== undefined) out.write(`${line}\n`);
    }
  } catch (error) {
    if (signal.aborted)
      process.stderr.write(
        `\nThe job goes on. Follow it again with: npx consilium logs ${job} --follow --kit ${kitWord}\n`,
      );
    throw error;
  }
}

/** Says how a job has ended; one that did not finish gives the command exit code 1. */
export function reportEnd(job: string, { state, reason }: JobStanding): void {
  if (state === 'finished' || !hasEnded(state)) return;
  process.stderr.write(`${job} ${stateText(state)}${reason ? `: ${reasonText(reason)}` : ''}\n`);
  process.exitCode = 1;
}
