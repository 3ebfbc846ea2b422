/**
 * Carries out the tasks of one job: in the job's own process, and what comes back passes the policy's filters before it is kept
 * as an answer.
 *
 * @module
 */
import { AbortedError, RefusedError } from '../../errors';
import type { PrivacyCost } from '../../privacy/cost';
import type { Task, Update } from '../../protocol/messages';
import { sizeInBytes } from '../../tensor/tensor';
import type { TaskContext, TaskProgress } from '../../transport/agent-types';
import type { JobProcess } from './job-process-client';
import type { PreparedJob } from './job-process-messages';
import type { ReadPolicy } from './policy';
import type { PolicyFilterClient } from './policy-filter-client';
import { policyFilterNames } from './policy-filters';
import type { TaskRunner } from './site-jobs';
import type { Slots } from './site-slots';

/** What is on its way out, for the audit log. */
export interface LeavingUpdate {
  readonly task: string;
  readonly round: number;
  /** Filters that it has passed, in order. */
  readonly filters: readonly string[];
  readonly costs: readonly PrivacyCost[];
}

export interface TaskRunnerOptions {
  readonly job: string;
  readonly policy: ReadPolicy;
  readonly filters: PolicyFilterClient;
  /** Places for jobs that train at one time. */
  readonly slots: Slots;
  /** The process of the job, started when there is none. */
  process(): Promise<{ readonly process: JobProcess; readonly prepared: PreparedJob }>;
  /** Told of each update once it has passed everything. */
  leaving(update: LeavingUpdate): void;
  close(): Promise<void>;
}

export function taskRunner({ job, policy, filters, slots, process, leaving, close }: TaskRunnerOptions): TaskRunner {
  const policyNames = policyFilterNames(policy.policy);
  return { run, close };

  async function run(task: Task, context: TaskContext): Promise<Update> {
    const { signal } = context;
    const free = await slots.take(signal);
    try {
      const { process: child, prepared } = await process();
      checkTask(task, prepared, policy);
      const names = [...prepared.filtersOut, ...policyNames];
      const told = names.length > 0 ? { ...context, progress: withoutLoss(context) } : context;
      const update = await child.run(task, told);
      const { kind, round } = task;
      const passed = await filters.filter({ policy, job, task: kind, round, payload: update.payload }, signal);
      const privacy = [...update.privacy, ...passed.costs];
      leaving({ task: kind, round, filters: names, costs: privacy });
      return { ...update, payload: passed.payload, privacy };
    } catch (error) {
      if (signal.aborted)
        throw signal.reason instanceof Error ? signal.reason : new AbortedError('The task was stopped.');
      throw error;
    } finally {
      free();
    }
  }
}

/** A server asks for no more than the job it was accepted for. @throws RefusedError */
function checkTask({ kind, round, model }: Task, { tasks, rounds }: PreparedJob, { policy }: ReadPolicy): void {
  if (!tasks.includes(kind))
    throw new RefusedError(`The job has no task '${kind}'; its tasks are ${tasks.join(', ')}.`);
  if (round > Math.max(rounds, 1))
    throw new RefusedError(`The job has ${rounds} rounds, and round ${round} was asked for.`);
  const { modelMb } = policy.limits;
  if (modelMb === undefined) return;
  const mb = sizeInBytes(model) / 1e6;
  if (mb > modelMb) throw new RefusedError(`policy limits.modelMb: a model of ${mb.toFixed(1)} MB was sent.`);
}

/** The loss of a step is a number of the data that no filter has seen: where anything is filtered, it stays. */
function withoutLoss({ progress }: TaskContext): (progress: TaskProgress) => void {
  return ({ phase, done, total }) => progress({ phase, done, total });
}
