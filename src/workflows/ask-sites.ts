/**
 * One task to some sites, with quorum, grace, deadline and retries: what every round of every workflow is made of.
 *
 * @module
 */
import { isConsiliumError, QuorumError, SiteFailedError } from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import { counted } from '../util/counted';
import { failpoint } from '../util/failpoint';
import { oneLine } from '../util/one-line';
import type { MissingSite, Participation, WorkflowParts } from './workflow';

/** How long a round waits, for how many, and what it makes of sites in error. */
export interface RoundPolicy {
  /** Answers that are needed. */
  readonly minSites: number;
  /** A site that has not answered by then is late. */
  readonly roundDeadlineSeconds: number;
  /** How long to wait for the others once `minSites` have answered. @default until the deadline */
  readonly graceSeconds?: number | undefined;
  /** How often those that were late are asked again when there are fewer answers than `minSites`. @default 0 */
  readonly roundRetries?: number | undefined;
  /** Whether a site that fails, or whose update is refused, only counts as missing or ends the run. @default 'tolerate' */
  readonly siteErrors?: 'tolerate' | 'fail' | undefined;
}

export interface AskOptions extends RoundPolicy {
  /** Sites that are asked. @default all */
  readonly sites?: readonly string[];
  /**
   * Takes an update as it comes; refuses it by throwing an `UpdateRejectedError`, at once. Pass `release` and `reload` on to the
   * aggregator if nobody else reads the update's tensors: many small rounds are faster then, and large ones need less memory.
   * @default nothing
   */
  readonly add?: (
    update: Update,
    release?: () => void,
    reload?: () => Promise<Update & { readonly release?: () => void }>,
  ) => void | Promise<void>;
  /** Told of each site that gave no update that counts, once nobody asks it again. @default nothing */
  readonly skip?: (site: string) => void | Promise<void>;
}

/**
 * Asks the sites and adds what they answer; a bad update is refused as a whole and the others count on. Updates of an
 * interrupted attempt at this round are not asked for again, and neither are the sites that it had closed without.
 *
 * @returns one entry a site, in the order of the job.
 * @throws QuorumError when too few answered; SiteFailedError when a site failed and the job tolerates none.
 */
export async function askSites(task: Task, parts: WorkflowParts, options: AskOptions): Promise<Participation[]> {
  const { sites, journal } = parts;
  const { minSites, roundRetries = 0, sites: names = sites.names, add = () => {}, skip = () => {} } = options;
  const done = new Map<string, Participation>();
  const readAgain = ({ site, round, task: kind }: Update) => {
    const which = { site, round, task: kind }; // To hold on to the update itself would keep its tensors in memory.
    return journal.reload && (() => journal.reload!(which, task.model));
  };
  for await (const update of journal.accepted(task.round, task.model, names)) {
    if (update.task !== task.kind) continue;
    await add(update, undefined, readAgain(update));
    done.set(update.site, participated(update));
  }
  const concluded = await journal.concluded?.(task);
  for (const one of concluded ?? []) {
    if (done.has(one.site)) continue;
    done.set(one.site, one);
    if (isError(one)) await skip(one.site);
  }
  for (let attempt = 0; ; attempt++) {
    const isOpen = (name: string) => !done.has(name) || (attempt > 0 && done.get(name)!.status === 'late');
    const waiting = names.filter(isOpen);
    await collect(task, parts, options, waiting, { done, readAgain });
    if (attempt >= roundRetries || countOf(done) >= minSites || !hasLate(done)) break;
  }
  const participations = names.map((name) => done.get(name)!);
  for (const { site, status } of participations) if (status === 'late') await skip(site);
  requireQuorum(task, minSites, participations);
  const isWhole = participations.every(({ status }) => status === 'ok');
  if (!isWhole && !concluded) await journal.conclude?.(task, participations);
  return participations;
}

interface Collected {
  readonly done: Map<string, Participation>;
  readonly readAgain: (update: Update) => (() => Promise<Update & { readonly release?: () => void }>) | undefined;
}

/** One broadcast: every site that is asked has an entry in `done` afterwards, and what counts is on disk. */
async function collect(
  task: Task,
  { sites, journal, clock, signal, missed }: WorkflowParts,
  options: AskOptions,
  waiting: readonly string[],
  { done, readAgain }: Collected,
): Promise<void> {
  const { minSites, roundDeadlineSeconds, graceSeconds, siteErrors = 'tolerate' } = options;
  const { add = () => {}, skip = () => {}, sites: names = sites.names } = options;
  const enough = new AbortController();
  let cancelGrace: (() => void) | undefined;
  /** Updates on their way to disk, each acknowledged when it is there. */
  const recording: Promise<void>[] = [];
  const wait = { deadlineSeconds: roundDeadlineSeconds, until: enough.signal, mayGiveUp, signal };
  try {
    startGrace();
    for await (const answer of sites.broadcast(task, waiting, wait)) {
      const participation = await accept(answer);
      done.set(answer.site, participation);
      if (siteErrors === 'fail') refuseErrors(task, participation);
      if (isError(participation)) await skip(answer.site);
      startGrace();
    }
    await Promise.all(recording);
  } finally {
    cancelGrace?.();
    await Promise.allSettled(recording);
  }

  /** Lost sites are waited for only while the quorum depends on them. */
  function mayGiveUp(): boolean {
    const errors = [...done.values()].filter(isError).length;
    return countOf(done) >= minSites || names.length - errors < minSites;
  }

  function startGrace(): void {
    if (graceSeconds === undefined || cancelGrace || countOf(done) < minSites) return;
    cancelGrace = clock.after(graceSeconds * 1000, () => enough.abort());
  }

  async function accept(answer: SiteAnswer): Promise<Participation> {
    const { site } = answer;
    if (answer.status === 'late') return missing({ site, status: 'late', reason: lateReason(answer.reason) });
    if (answer.status === 'failed') {
      const { tag: error, message: reason } = answer.error;
      return missing({ site, status: 'failed', error, reason });
    }
    const { update, spooled, acknowledge } = answer;
    const kept = journal.keeps?.(update) ?? true;
    const release = kept && spooled === undefined ? undefined : answer.release; // What is written is read until then.
    const again = kept ? readAgain(update) : undefined;
    let recorded: void | Promise<void>;
    const onceRecorded = async () => recorded; // Where it could not be recorded, that is the reason to tell.
    let added: void | Promise<void>;
    try {
      added = add(update, release, again && (() => onceRecorded().then(again)));
    } catch (error) {
      if (!isConsiliumError(error, 'UpdateRejectedError')) throw error;
      const reason = oneLine(error.message); // It may quote what the site has written: names of tensors.
      acknowledge?.('rejected', reason);
      const refused = missing({ site, status: 'rejected', error: error.tag, reason });
      return { ...refused, spent: update.privacy };
    }
    recorded = kept ? journal.record(update, task.model, { spooled }) : undefined;
    const told = Promise.resolve(recorded).then(() => acknowledge?.('accepted', ''));
    told.catch(() => {}); // Thrown at the end of the round.
    if (spooled === undefined) await recorded; // Otherwise no memory waits for the disk.
    recording.push(told);
    await added;
    failpoint('update-added', `${site} ${update.round}`);
    return participated(update);
  }

  function missing(one: MissingSite): Participation {
    missed?.(task, one);
    return { site: one.site, status: one.status, reason: one.reason };
  }

  function lateReason(reason: string | undefined): string {
    if (reason !== undefined) return reason;
    if (enough.signal.aborted) return `no answer within ${graceSeconds} s after ${minSites} sites had answered`;
    return `no answer within ${roundDeadlineSeconds} s`;
  }
}

function participated({ payload, ...update }: Update): Participation {
  return { site: update.site, status: 'ok', update: { ...update, metrics: payload.metrics, steps: payload.steps } };
}

function countOf(done: ReadonlyMap<string, Participation>): number {
  return [...done.values()].filter(({ status }) => status === 'ok').length;
}

function hasLate(done: ReadonlyMap<string, Participation>): boolean {
  return [...done.values()].some(({ status }) => status === 'late');
}

/** A site that will not be asked again in this round. */
function isError({ status }: Participation): boolean {
  return status === 'failed' || status === 'rejected';
}

/** @throws SiteFailedError for a site in error. */
function refuseErrors({ kind, round }: Task, participation: Participation): void {
  if (!isError(participation)) return;
  const { site, status, reason } = participation;
  throw new SiteFailedError(`Round ${round} (${kind}): ${site} ${status}: ${reason}.`, {
    hint: "The job says siteErrors: fail. Mend the site, or let the run go on without it with siteErrors: 'tolerate'.",
  });
}

/** Sites that an error names, and the longest reason of one, characters: what each has said in full is told as it happens. */
const mostNamed = 5;
const longestReason = 160;

/** @throws QuorumError when fewer than `minSites` took part, saying in one line why the others did not. */
export function requireQuorum(
  task: Pick<Task, 'kind' | 'round'>,
  minSites: number,
  sites: readonly Participation[],
): void {
  const accepted = sites.filter(({ status }) => status === 'ok').length;
  if (accepted >= minSites) return;
  const missing = sites.filter(({ status }) => status !== 'ok');
  const named = missing
    .slice(0, mostNamed)
    .map(({ site, status, reason }) => `${site} ${status}: ${firstSentence(reason)}`);
  const others = missing.length > mostNamed ? [`and ${counted(missing.length - mostNamed, 'other site')}`] : [];
  const who = missing.length === 0 ? '' : `: ${[...named, ...others].join('; ')}`;
  throw new QuorumError(
    `Round ${task.round} (${task.kind}) needs ${counted(minSites, 'site')}, but only ${accepted} answered${who}.`,
    { hint: 'Finished rounds are kept: mend the cause and continue with --resume.' },
  );
}

/** What comes first of a reason: the next step of a refusal stands behind it. */
function firstSentence(reason = ''): string {
  const line = oneLine(reason);
  const first = (/^.+?(?=\. \p{Lu})/u.exec(line)?.[0] ?? line).replace(/\.$/, '');
  return first.length > longestReason ? `${first.slice(0, longestReason - 1)}…` : first;
}
