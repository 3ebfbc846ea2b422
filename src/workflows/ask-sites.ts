/**
 * One task to some sites, with quorum and deadline: what every round of every workflow is made of.
 *
 * @module
 */
import { isConsiliumError, QuorumError } from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { Participation, WorkflowParts } from './workflow';

export interface AskOptions {
  /** Answers that are needed. */
  readonly minSites: number;
  /** A site that has not answered by then is late. */
  readonly roundDeadlineSeconds: number;
  /** Sites that are asked. @default all */
  readonly sites?: readonly string[];
  /**
   * Takes an update as it comes; refuses it by throwing an `UpdateRejectedError`. Pass `release` on to the aggregator if nobody
   * else reads the update's tensors: many small rounds are faster then. @default nothing
   */
  readonly add?: (update: Update, release?: () => void) => void;
  /** Told of each site that was asked and gave no update that counts. @default nothing */
  readonly skip?: (site: string) => void;
}

/**
 * Asks the sites and adds what they answer; a bad update is refused as a whole and the others count on. Updates of an
 * interrupted attempt at this round are not asked for again.
 *
 * @returns one entry a site, in the order of the job.
 * @throws QuorumError when too few answered.
 */
export async function askSites(task: Task, parts: WorkflowParts, options: AskOptions): Promise<Participation[]> {
  const { sites, journal, signal } = parts;
  const { minSites, roundDeadlineSeconds, sites: names = sites.names, add = () => {}, skip = () => {} } = options;
  const done = new Map<string, Participation>();
  for await (const update of journal.accepted(task.round, task.model, names)) {
    if (update.task !== task.kind) continue;
    add(update);
    done.set(update.site, participated(update));
  }
  const waiting = names.filter((name) => !done.has(name));
  for await (const answer of sites.broadcast(task, waiting, { deadlineSeconds: roundDeadlineSeconds, signal })) {
    const participation = await accept(answer);
    if (participation.status !== 'ok') skip(answer.site);
    done.set(answer.site, participation);
  }
  const participations = names.map((name) => done.get(name)!);
  requireQuorum(task, minSites, participations);
  return participations;

  async function accept(answer: SiteAnswer): Promise<Participation> {
    const { site } = answer;
    if (answer.status === 'late') return { site, status: 'late', reason: `no answer within ${roundDeadlineSeconds} s` };
    if (answer.status === 'failed') return { site, status: 'failed', reason: answer.error.message };
    const kept = journal.keeps?.(answer.update) ?? true;
    try {
      add(answer.update, kept ? undefined : answer.release);
    } catch (error) {
      if (!isConsiliumError(error, 'UpdateRejectedError')) throw error;
      return { site, status: 'rejected', reason: error.message };
    }
    if (kept) await journal.record(answer.update, task.model);
    return participated(answer.update);
  }
}

function participated({ payload, ...update }: Update): Participation {
  return { site: update.site, status: 'ok', update: { ...update, metrics: payload.metrics, steps: payload.steps } };
}

/** @throws QuorumError when fewer than `minSites` took part, saying why the others did not. */
export function requireQuorum(
  task: Pick<Task, 'kind' | 'round'>,
  minSites: number,
  sites: readonly Participation[],
): void {
  const accepted = sites.filter(({ status }) => status === 'ok').length;
  if (accepted >= minSites) return;
  const missing = sites.filter(({ status }) => status !== 'ok');
  const reasons = missing.map(({ site, status, reason }) => `  ${site} ${status}: ${reason}`);
  throw new QuorumError(
    `Round ${task.round} (${task.kind}) needs ${minSites} sites, but only ${accepted} answered.\n${reasons.join('\n')}`,
    { hint: 'Finished rounds are kept: mend the cause and continue with --resume.' },
  );
}
