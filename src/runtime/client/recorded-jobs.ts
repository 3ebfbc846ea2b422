/**
 * The jobs of a site with an account of what happens to them: what leaves is in the audit log before it can leave, and who looks
 * at the site sees how far its tasks are.
 *
 * @module
 */
import type { PrivacyCost } from '../../privacy/cost';
import type { SiteJobs, TaskProgress } from '../../transport/agent-types';
import type { Json } from '../../util/json';
import type { AuditEvent } from '../audit';
import type { LeavingUpdate } from './task-runner';

export interface Recorder {
  append(event: AuditEvent): Promise<void>;
  /** How the last update of a job has come about that was not taken yet. */
  takeLeaving(job: string): LeavingUpdate | undefined;
  progress(job: string, round: number, progress: TaskProgress): void;
  /** The job has ended. */
  ended(job: string): Promise<void>;
}

export function recordedJobs(jobs: SiteJobs, { append, takeLeaving, progress, ended }: Recorder): SiteJobs {
  return {
    ...jobs,
    async run(message, fetch, context) {
      const { job, task, round } = message;
      const answer = await jobs.run(message, fetch, {
        ...context,
        progress(one) {
          progress(job, round, one);
          context.progress(one);
        },
      });
      // A kept answer that is asked for again was recorded when it came about.
      const leaving = takeLeaving(job);
      if (leaving) {
        const { task: kind, filters, costs } = leaving;
        await append({ event: 'answer', job, round, task, kind, ...answer.blob, filters, costs: costs.map(costText) });
      }
      return answer;
    },
    async ended(job, outcome, reason) {
      await jobs.ended(job, outcome, reason);
      await ended(job);
    },
  };
}

/** JSON has no infinity. */
function costText({ mechanism, differentiallyPrivate, epsilon, delta }: PrivacyCost): Json {
  const amount = (value: number) => (Number.isFinite(value) ? value : String(value));
  return { mechanism, differentiallyPrivate, epsilon: amount(epsilon), delta: amount(delta) };
}
