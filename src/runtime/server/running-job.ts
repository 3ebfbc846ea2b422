/**
 * One job while it runs: in a scope of its own, so that whatever goes wrong in it ends this job and no other.
 *
 * @module
 */
import { AbortedError } from '../../errors';
import type { RunEvent } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import type { EndedState, JobReason, WaitingFor } from '../../protocol/admin-api';
import type { Hub, HubEvent, JobVerdict, OpenJob } from '../../transport/hub-types';
import type { RoundLine } from '../round-line';
import { inRoundOrder } from '../round-order';
import type { RunRecorder, RunRecordOptions } from '../run-record';
import { finishedEvents } from '../server-run';
import { faultOf, reasonOfError } from './job-fault';
import { type JobRoundsOptions, runJobRounds } from './job-rounds';
import type { RunEvents } from './run-events';
import { watchStall } from './stall-watch';
import type { SavedJob } from './stored-job';

/** What a job has come to. */
export type JobOutcome = Pick<SavedJob, 'finishedRounds' | 'metrics' | 'refusals' | 'accepted'>;

/** How the job has ended, or that it goes on when the server is started again. */
export type JobEnding =
  | ({ readonly state: EndedState; readonly reason: JobReason | undefined } & JobOutcome)
  | { readonly state: 'suspended' };

export interface RunningJob {
  readonly id: string;
  /** Never rejects. */
  readonly ended: Promise<JobEnding>;
  /** Something happened at a site. */
  hear(event: HubEvent): void;
  /** Ends it for good. */
  abort(reason: string): void;
  /** Ends it in this process; its state is on disk. */
  suspend(): void;
  /** Ends the part of a site. */
  withdraw(site: string, reason: string): void;
  /** Lets go of the sites without a word: the job will go on. */
  release(): void;
  /** Tells the sites how it has ended. */
  tellSites(outcome: EndedState, reason: string): void;
  verdictOf(site: string): JobVerdict;
  status(): RunningStatus;
}

export interface RunningStatus {
  readonly round: number;
  readonly rounds: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly waiting: readonly WaitingFor[];
  readonly stalledSeconds: number | undefined;
}

export interface RunningJobOptions
  extends Omit<JobRoundsOptions, 'opened' | 'resumed' | 'emit' | 'signal' | 'goesOn' | 'spec' | 'hub'> {
  readonly hub: Pick<Hub, 'open' | 'status'>;
  readonly readSpec: () => Promise<JobSpec>;
  readonly stallMs: number;
  readonly events: RunEvents;
  /** Told of what went wrong in full, for the server's own log: what the job's reason says names no file. */
  readonly trouble: (error: unknown) => void;
  /** Told of events after their followers. */
  readonly on: (event: RunEvent) => void;
}

/** What is kept of a job that has ended. */
const mostMetrics = 64;
const mostRefusals = 200;

export function startJob(options: RunningJobOptions): RunningJob {
  const { job, clock, events, stallMs } = options;
  const stop = new AbortController();
  const withdrawn = new Map(Object.entries(job.withdrawn));
  let suspended = false;
  let open: OpenJob | undefined;
  let recorder: RunRecorder | undefined;
  let round = job.finishedRounds;
  let rounds = job.rounds;
  let metrics: RunningStatus['metrics'] = {};
  const stall = watchStall(clock, stallMs, (idleMs) => {
    const seconds = Math.round(idleMs / 1000);
    say('warn', `Nothing has happened for ${seconds} s. ${waitingInWords(waiting(), round)}`);
  });
  const inOrder = inRoundOrder(emit);
  const ended = run();
  return {
    id: job.id,
    ended,
    hear,
    abort: (reason) => stop.abort(new AbortedError(reason)),
    suspend() {
      suspended = true;
      open?.pause(); // First: sites work on meanwhile, and their answers count when the job goes on.
      stop.abort(new AbortedError('The server is stopping; the job goes on when it is started again.'));
    },
    withdraw,
    release: () => open?.pause(),
    tellSites: (outcome, reason) => open?.end(outcome, reason),
    verdictOf: (site) => open?.verdict(site) ?? { verdict: 'unknown', reason: '' },
    status: () => {
      const { stalledMs } = stall;
      return {
        round,
        rounds,
        metrics,
        waiting: waiting(),
        stalledSeconds: stalledMs === undefined ? undefined : stalledMs / 1000,
      };
    },
  };

  async function run(): Promise<JobEnding> {
    let ending: JobEnding;
    try {
      const spec = await options.readSpec();
      const { signal } = stop;
      await runJobRounds({ ...options, spec, record, resumed, opened, emit: inOrder, signal, goesOn });
      ending = { state: 'finished', reason: undefined, ...outcome() };
    } catch (error) {
      if (stop.signal.aborted && suspended) ending = { state: 'suspended' };
      else ending = failed(stop.signal.aborted ? stop.signal.reason : error);
    }
    stall.stop();
    return ending;
  }

  function failed(error: unknown): JobEnding {
    const reason = reasonOfError(error, job.id);
    if (reason.code === 'DISK') options.trouble(error);
    return { state: reason.code === 'ABORTED' ? 'aborted' : 'failed', reason, ...outcome() };
  }

  function outcome(): JobOutcome {
    const refused = job.sites.flatMap((site) => {
      const { verdict, reason } = open?.verdict(site) ?? { verdict: 'unknown', reason: '' };
      return verdict === 'refused' ? [[site, reason] as const] : [];
    });
    const kept = Object.entries(metrics).slice(0, mostMetrics);
    return {
      finishedRounds: round,
      metrics: Object.fromEntries(kept),
      refusals: Object.fromEntries(refused.slice(0, mostRefusals)),
      accepted: job.sites.filter((site) => open?.verdict(site).verdict === 'accepted'),
    };
  }

  /** The server stops, or waits until its disk takes again what it is given. */
  function goesOn(error: unknown): boolean {
    return suspended || (!stop.signal.aborted && faultOf(error) === 'DISK');
  }

  function record(about: RunRecordOptions): RunRecorder {
    recorder = options.record(about);
    return recorder;
  }

  /** A kill may have come between a round's checkpoint and what is told of it. */
  function resumed(lines: readonly RoundLine[]): void {
    const told = events.lastFinished;
    const isUntold = ({ round: of, final }: RoundLine) =>
      !told || of > told.round || (of === told.round && final && !told.final);
    for (const line of lines.filter(isUntold)) for (const event of finishedEvents(line)) emit(event);
  }

  function opened(opening: OpenJob): void {
    open = opening;
    for (const [site, reason] of withdrawn) open.withdraw(site, reason);
    for (const site of job.sites) if (options.hub.status(site).connected) emit({ kind: 'site-joined', site });
  }

  function emit(event: RunEvent): void {
    stall.touch();
    if (event.kind === 'round-started') {
      ({ round, rounds } = event);
    } else if (event.kind === 'round-finished') {
      ({ metrics } = event);
      if (!event.final) round = event.round + 1;
    }
    events.emit(event);
    options.on(event);
  }

  function say(level: 'info' | 'warn', message: string, site?: string): void {
    const event = { kind: 'log', level, message, ...(site !== undefined && { site }) } as const;
    recorder?.note(event);
    events.emit(event);
    options.on(event);
  }

  function hear(event: HubEvent): void {
    stall.touch();
    switch (event.kind) {
      case 'site-joined':
        emit({ kind: 'site-joined', site: event.site });
        break;
      case 'site-left':
        emit({ kind: 'site-lost', site: event.site, reason: event.reason.message });
        break;
      case 'job-answer':
        if (event.verdict === 'refused') say('warn', `The site refused the job: ${event.reason}`, event.site);
        break;
      case 'progress': {
        const { site, round: of, phase, done, total, loss } = event;
        inOrder({ kind: 'progress', site, round: of, phase, done, total, loss });
        break;
      }
      case 'answered':
        if (event.outcome !== 'accepted') {
          say(
            'info',
            `Its answer of round ${event.round} does not count (${event.outcome}): ${event.reason}`,
            event.site,
          );
        }
        break;
    }
  }

  function withdraw(site: string, reason: string): void {
    withdrawn.set(site, reason);
    say('warn', `The site was withdrawn from the job: ${reason}`, site);
    open?.withdraw(site, reason);
  }

  function waiting(): WaitingFor[] {
    const now = clock.monotonicMs();
    return (open?.waiting() ?? []).map(({ site, task, round: of, sinceMs, what }) => {
      return { site, task, round: of, what, seconds: (now - sinceMs) / 1000 };
    });
  }
}

function waitingInWords(waiting: readonly WaitingFor[], round: number): string {
  if (waiting.length === 0) return `No site is waited for: the server is at work on round ${round}.`;
  const sites = waiting.map(({ site, task, round: of, what, seconds }) => {
    return `${site} (${task} of round ${of}, for ${Math.round(seconds)} s: ${what})`;
  });
  return `Waiting for ${sites.join(', ')}.`;
}
