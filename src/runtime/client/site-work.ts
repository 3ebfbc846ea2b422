/**
 * What a site does with the jobs that it is offered: asks its policy, makes those ready that it takes part in, and runs them,
 * each in a process of its own.
 *
 * @module
 */
import { join, relative } from 'node:path';
import { z } from 'zod';
import { DataError, errorToData, isConsiliumError, summaryOf } from '../../errors';
import type { RunLog } from '../../tracking/run-log';
import { openRunLog } from '../../tracking/run-log';
import type { JobVerdict } from '../../transport/agent-types';
import { writeFileAtomic } from '../../util/atomic-file';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import type { AuditEvent } from '../audit';
import { type Bundle, readBundle, unpackBundle } from '../provision/bundle';
import { type JobProcess, startJobProcess } from './job-process-client';
import type { PreparedJob } from './job-process-messages';
import { judgeJob, judgeSize, type Refusal, refusalHint, refusalReason } from './judge-job';
import { type ReadPolicy, readPolicy } from './policy';
import { policyFilterClient } from './policy-filter-client';
import { refusedFor } from './refused-for';
import { judgeData } from './site-data';
import type { SiteJobsOptions, TaskRunner } from './site-jobs';
import type { SiteSettings } from './site-settings';
import { siteSlots } from './site-slots';
import { type LeavingUpdate, taskRunner } from './task-runner';

export interface SiteWorkOptions {
  readonly site: string;
  readonly project: string;
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  /** `policy.yaml`: read anew for each offer and each start of a job. */
  readonly policyFile: string;
  readonly settings: SiteSettings;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly audit: { append(event: AuditEvent): Promise<void> };
  /** The site's own log. */
  readonly log: RunLog;
  /** Something of this site itself is wrong, so that a job was refused: its operator is told the whole of it. */
  readonly trouble: (error: unknown) => void;
  /** NOT PRIVATE: makes privacy noise reproducible, for tests. */
  readonly testNoiseSeed: number | undefined;
  /** The site is stopping: what is being made ready is given up. */
  readonly signal: AbortSignal;
}

export interface SiteWork extends Pick<SiteJobsOptions, 'consider' | 'start'> {
  /** How the last update of a job has come about that was not taken yet. */
  takeLeaving(job: string): LeavingUpdate | undefined;
  /** A task of the job failed: the whole error stays in the job's log. */
  noteFailure(job: string, round: number, error: unknown): void;
  /** The job has ended: nothing of it goes on. */
  forget(job: string): Promise<void>;
  close(): Promise<void>;
}

const acceptedJob = z.strictObject({
  version: z.literal(1),
  /** Milliseconds since 1970. */
  acceptedAt: z.number(),
  /** Within the job's folder. */
  bundle: z.string(),
});
type AcceptedJob = z.output<typeof acceptedJob>;

/** A job of which this site has the bundle. */
interface Offer {
  readonly job: string;
  readonly folder: string;
  readonly accepted: AcceptedJob;
  readonly bundle: Bundle;
  readonly policy: ReadPolicy;
  readonly log: RunLog;
}

export function siteWork(options: SiteWorkOptions): SiteWork {
  const { site, project, ca, settings, disk, clock, audit, testNoiseSeed, signal, trouble } = options;
  const processes = new Map<string, JobProcess>();
  const leaving = new Map<string, LeavingUpdate>();
  const logs = new Map<string, RunLog>();
  const filters = policyFilterClient({ site, workspace: settings.workspace, testNoiseSeed });
  const slots = siteSlots(settings.slots);
  const graceMs = (settings.shutdownSeconds * 1000) / 2;
  return {
    consider,
    start,
    takeLeaving(job) {
      const update = leaving.get(job);
      leaving.delete(job);
      return update;
    },
    noteFailure(job, round, error) {
      noteError((logs.get(job) ?? options.log).with({ round }), 'task failed', error);
    },
    forget: endProcess,
    async close() {
      await Promise.all([...processes.keys()].map(endProcess));
      await filters.close();
      await Promise.all([...logs.values()].map((log) => log.flush()));
    },
  };

  async function consider(job: string, bundleFile: string, folder: string): Promise<JobVerdict> {
    const log = logOf(job, folder);
    const accepted: AcceptedJob = { version: 1, acceptedAt: clock.wallMs(), bundle: relative(folder, bundleFile) };
    let bundle: Bundle | undefined;
    try {
      bundle = await openBundle(accepted, folder);
      const policy = await policyNow();
      const offer: Offer = { job, folder, accepted, bundle, policy, log };
      await mustAllow(offer);
      await unpackBundle(bundle, join(folder, 'files'), disk);
      await writeFileAtomic(join(folder, 'accepted.json'), `${JSON.stringify(accepted)}\n`, { disk });
      throwRefused(judgeSize(policy.policy, (await ready(offer)).prepared));
      log.write('info', 'job accepted', { policy: policy.sha256 });
      await audit.append({ event: 'job-accepted', job, ...identityOf(bundle), policy: policy.sha256 });
      return { verdict: 'accepted', reason: '' };
    } catch (error) {
      await endProcess(job);
      if (signal.aborted) throw error; // No verdict: the job is offered again.
      const reason = reasonFor(error);
      tellTrouble(isConsiliumError(error, 'RefusedError') ? error.cause : error);
      noteError(log, `job refused: ${reason}`, error);
      await audit.append({ event: 'job-refused', job, ...(bundle && identityOf(bundle)), reason });
      return { verdict: 'refused', reason: reasonWithHint(error) };
    }
  }

  /** The policy is asked again: it may have changed since the job was accepted. */
  async function start(job: string, folder: string): Promise<TaskRunner> {
    const log = logOf(job, folder);
    try {
      const accepted = await readAccepted(folder);
      const offer = {
        job,
        folder,
        accepted,
        bundle: await openBundle(accepted, folder),
        policy: await policyNow(),
        log,
      };
      await mustAllow(offer);
      const { policy } = offer;
      throwRefused(judgeSize(policy.policy, (await ready(offer)).prepared));
      return taskRunner({
        job,
        policy,
        filters,
        slots,
        process: () => ready(offer),
        leaving: (update) => leaving.set(job, update),
        close: () => endProcess(job),
      });
    } catch (error) {
      await endProcess(job);
      if (signal.aborted) throw error;
      const reason = reasonFor(error);
      if (isConsiliumError(error, 'RefusedError')) tellTrouble(error.cause); // Any other is told as why the task failed.
      noteError(log, `job refused: ${reason}`, error);
      await audit.append({ event: 'job-refused', job, reason });
      throw error;
    }
  }

  /** A refusal that has no cause is the job's own fault. */
  function tellTrouble(cause: unknown): void {
    if (cause !== undefined) trouble(cause);
  }

  /** @throws RefusedError for a bundle that is none, or not for this site. */
  async function openBundle({ bundle, acceptedAt: now }: AcceptedJob, folder: string): Promise<Bundle> {
    const bytes = await disk.readFile(join(folder, bundle));
    try {
      return await readBundle(bytes, { ca, project, now, purpose: 'site', site });
    } catch (cause) {
      const hint = 'The log of the site says what is wrong with it: ask its operator.';
      throw refusal('bundle', 'what came is not what somebody of this project has signed for this site', hint, cause);
    }
  }

  async function policyNow(): Promise<ReadPolicy> {
    try {
      return await readPolicy(options.policyFile);
    } catch (cause) {
      const hint =
        "The log of the site says where it is wrong: ask its operator, and run 'consilium clone' afterwards.";
      throw refusal('policy', 'the policy of this site cannot be read at present', hint, cause);
    }
  }

  /** @throws RefusedError that says every rule that the job breaks. */
  async function mustAllow({ bundle, policy: { policy } }: Offer): Promise<void> {
    throwRefused(judgeJob(policy, bundle));
    const [missing] = judgeData(bundle.facts, settings);
    if (missing) throw refusal(missing.rule, missing.reason, missing.hint);
  }

  /** The job's process, ready for its tasks. @throws RefusedError when the job does not fit this site. */
  async function ready(offer: Offer): Promise<{ readonly process: JobProcess; readonly prepared: PreparedJob }> {
    const { job } = offer;
    const known = processes.get(job);
    const process = known?.alive ? known : startProcess(offer);
    processes.set(job, process);
    return { process, prepared: await process.prepared };
  }

  function startProcess({ folder, accepted: { bundle, acceptedAt }, policy, log }: Offer): JobProcess {
    const { syntheticMb } = policy.policy.limits;
    return startJobProcess({
      setup: {
        ...{ site, project, ca, acceptedAt, folder, settings, syntheticMb, testNoiseSeed },
        bundleFile: join(folder, bundle),
        files: join(folder, 'files'),
      },
      log: (level, message) => log.write(level, message),
      graceMs,
      signal,
    });
  }

  async function endProcess(job: string): Promise<void> {
    const process = processes.get(job);
    processes.delete(job);
    leaving.delete(job);
    await process?.close();
  }

  async function readAccepted(folder: string): Promise<AcceptedJob> {
    const file = join(folder, 'accepted.json');
    try {
      return acceptedJob.parse(JSON.parse((await disk.readFile(file)).toString('utf8')));
    } catch (cause) {
      const hint = "Move the job's folder away; the server offers the job anew.";
      throw new DataError(`The file '${file}' is missing or damaged.`, { cause, file, hint });
    }
  }

  function logOf(job: string, folder: string): RunLog {
    const log = logs.get(job) ?? openRunLog(folder, { clock: () => clock.wallMs() }).with({ run: job, site });
    logs.set(job, log);
    return log;
  }
}

function identityOf({ hash, manifest, submitter }: Bundle) {
  return { name: manifest.job, bundle: hash, submitter: submitter.name, org: submitter.org };
}

function throwRefused(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  throw refusedFor(refusalReason(refusals), { hint: refusalHint(refusals) });
}

function refusal(rule: string, reason: string, hint: string, cause?: unknown): Error {
  return refusedFor(`${rule}: ${reason}`, cause === undefined ? { hint } : { hint, cause });
}

/** The rule where there is one, else that it is this site's own trouble. */
function reasonFor(error: unknown): string {
  if (isConsiliumError(error, 'RefusedError')) return error.message.slice(0, 2000);
  return `site: ${errorToData(error).tag} at this site; its log has the details`;
}

/** What the submitter is told: why, and what to do next where somebody can do something. */
function reasonWithHint(error: unknown): string {
  return isConsiliumError(error, 'RefusedError') ? (summaryOf(error) ?? reasonFor(error)) : reasonFor(error);
}

/** The whole error, with its causes, stays in the site's log. */
function noteError(log: RunLog, message: string, error: unknown): void {
  const lines: string[] = [];
  for (let one: unknown = error; one !== undefined; one = one instanceof Error ? one.cause : undefined) {
    const { tag, message: text, hint, stack } = errorToData(one);
    lines.push(stack ?? `${tag}: ${text}`, ...(hint === undefined ? [] : [hint]));
  }
  log.write('warn', [message, ...lines].join('\n'));
}
