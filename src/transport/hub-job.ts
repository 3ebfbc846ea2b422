/**
 * One job at the server's end of its sites: what each has been asked, what it answered, and what it is told of that.
 *
 * @module
 */
import { InternalError, isConsiliumError } from '../errors';
import type { MessageOf, SiteJobState } from '../protocol/wire/messages';
import type { Clock } from '../util/clock';
import { collectGarbage } from '../util/collect-garbage';
import { failpoint } from '../util/failpoint';
import {
  type Asked,
  again,
  counted,
  finish,
  isWaitedFor,
  lost,
  newAsked,
  noLongerWaitedFor,
  notReceived,
  type Settled,
  type Told,
  taskMessage,
  tooLate,
} from './asked-task';
import type { BlobSource } from './blobs';
import type { AskOptions, HubEvent, HubJob, HubTask, HubTimes, OpenJob, Outcome } from './hub-types';
import {
  newSeatJob,
  openModel,
  refused,
  type Seat,
  type SeatJob,
  unsettled,
  waitedFor,
  waitingFor,
  withdrawn,
} from './seat-job';

export interface HubJobOptions {
  readonly clock: Clock;
  readonly times: Pick<HubTimes, 'siteLostMs'>;
  readonly seatOf: (site: string) => Seat;
  readonly barred: (site: string) => string | undefined;
  readonly on: (event: HubEvent) => void;
  /** The job is over. */
  readonly ended: () => void;
}

/** A job as the hub hands messages to it. */
export interface HubJobSeats {
  readonly open: OpenJob;
  has(site: string): boolean;
  /** Answers of which the site has said that it has them, and of which it was not told yet what became of them. */
  unsettled(site: string): readonly Told[];
  /** Sends what the site is to know and may not know yet: the job, then its open tasks. */
  tell(seat: Seat): void;
  /** The site is back and says where it stands; nothing when it does not know the job. */
  resume(seat: Seat, state: SiteJobState | undefined): void;
  receive(seat: Seat, message: MessageOf<'job-answer' | 'answer' | 'task-failed' | 'progress'>): void;
  /** The site is out of touch, or barred. */
  left(seat: Seat): void;
  /** What the site may fetch: models of its open tasks, and the bundle. */
  source(site: string, sha256: string): BlobSource | undefined;
}

export function createHubJob(spec: HubJob, { clock, times, seatOf, barred, on, ended }: HubJobOptions): HubJobSeats {
  const sites = new Map(spec.sites.map((site) => [site, newSeatJob()]));
  /** The task that is being asked of the sites now. */
  let current: Pick<HubTask, 'id' | 'round'> | undefined;
  return {
    open: {
      ask,
      turn,
      waiting: () => [...sites].flatMap(([site, seatJob]) => waitingFor(seatOf(site), seatJob)),
      withdraw,
      pause,
      end,
      verdict(site) {
        const { verdict, reason } = seatJobOf(site);
        return { verdict, reason };
      },
    },
    has: (site) => sites.has(site),
    unsettled: (site) => unsettled(seatJobOf(site)),
    tell,
    resume,
    receive,
    left(seat) {
      for (const asked of sites.get(seat.name)?.asked.values() ?? []) watchLost(seat.name, asked);
    },
    source(site, sha256) {
      const seatJob = sites.get(site);
      const model = seatJob && openModel(seatJob, sha256);
      const bundle = seatJob && !model ? spec.bundle(site) : undefined;
      return model ?? (bundle?.ref.sha256 === sha256 ? bundle : undefined);
    },
  };

  function seatJobOf(site: string): SeatJob {
    const seatJob = sites.get(site);
    if (!seatJob) throw new InternalError(`The job '${spec.id}' has no site '${site}'.`);
    return seatJob;
  }

  function tell(seat: Seat): void {
    const { verdict, asked } = seatJobOf(seat.name);
    if (verdict === 'unknown') seat.channel?.send({ type: 'job', job: spec.id, bundle: spec.bundle(seat.name).ref });
    if (verdict !== 'accepted') return;
    for (const one of asked.values()) if (one.state === 'open') seat.channel?.send(taskMessage(spec.id, one));
  }

  function resume(seat: Seat, state: SiteJobState | undefined): void {
    const seatJob = seatJobOf(seat.name);
    if (seatJob.verdict === 'withdrawn') {
      tellWithdrawn(seat, seatJob);
      return;
    }
    // One that refused may have another policy now.
    seatJob.verdict = state?.state === 'accepted' ? 'accepted' : 'unknown';
    for (const { pending } of seatJob.asked.values()) pending?.lost(undefined);
    for (const answer of state?.answers ?? []) offer(seat, seatJob, answer);
    tell(seat);
  }

  function receive(seat: Seat, message: MessageOf<'job-answer' | 'answer' | 'task-failed' | 'progress'>): void {
    const seatJob = seatJobOf(seat.name);
    if (message.type === 'job-answer') {
      jobAnswered(seat, seatJob, message);
    } else if (message.type === 'answer') {
      offer(seat, seatJob, message);
    } else if (message.type === 'task-failed') {
      const asked = seatJob.asked.get(message.task);
      if (asked && isWaitedFor(asked)) finish(asked, { status: 'failed', ...message.error });
    } else {
      const { type: _, ...progress } = message;
      on({ kind: 'progress', site: seat.name, ...progress });
    }
  }

  function jobAnswered(seat: Seat, seatJob: SeatJob, { verdict, reason }: MessageOf<'job-answer'>): void {
    if (seatJob.verdict === 'withdrawn') {
      tellWithdrawn(seat, seatJob);
      return;
    }
    seatJob.verdict = verdict;
    seatJob.reason = reason;
    on({ kind: 'job-answer', site: seat.name, job: spec.id, verdict, reason });
    if (verdict === 'accepted') tell(seat);
    else for (const asked of seatJob.asked.values()) if (asked.state === 'open') finish(asked, refused(seatJob));
  }

  /** An answer is there at the site. It is fetched once its task is asked. */
  function offer(seat: Seat, seatJob: SeatJob, told: Told): void {
    const { task, round } = told;
    const asked = seatJob.asked.get(task);
    if (seatJob.verdict === 'withdrawn') {
      say(seat, told, asked?.settled ? again(asked.settled) : { outcome: 'closed', reason: withdrawn(seatJob) });
    } else if (asked) {
      const ofTask = { ...told, round: asked.task.round }; // Whatever the site says.
      if (asked.settled) say(seat, ofTask, again(asked.settled));
      else if (asked.state === 'closed') say(seat, ofTask, tooLate);
      else if (asked.state === 'open') void fetchAnswer(seat, asked, ofTask);
    } else if (!current || round > current.round || (round === current.round && task !== current.id)) {
      seatJob.offers.set(task, { task, round, blob: told.blob });
    } else if (task === current.id) {
      say(seat, told, counted);
    } else {
      const reason = `The job is in round ${current.round}, the answer is of round ${round}.`;
      say(seat, told, { outcome: 'stale-round', reason });
    }
  }

  function say(seat: Seat, { task, round, blob }: Told, { outcome, reason }: Settled): void {
    const asked = sites.get(seat.name)?.asked.get(task);
    if (asked) asked.told = undefined;
    on({ kind: 'answered', site: seat.name, job: spec.id, task, round, outcome, reason, blob });
    seat.channel?.send({ type: 'answered', job: spec.id, task, outcome, reason });
  }

  /** Receives an answer. When the connection breaks, what has come stays, and the rest is fetched on the next one. */
  async function fetchAnswer(seat: Seat, asked: Asked, told: Told): Promise<void> {
    const { channel } = seat;
    if (!channel || !asked.pending) return;
    if (told.blob.size > spec.answerLimit) return refuseSize(seat, asked, told);
    asked.state = 'receiving';
    asked.told = told;
    failpoint('answer-offered', `${seat.name} ${told.round}`);
    try {
      const sink = spec.sink(seat.name, told.blob);
      await channel.fetch(told.blob, sink, asked.pending.stop.signal);
      if (told.blob.size > largeBytes) collectGarbage('young'); // The pieces that it came in.
      if (asked.state === 'receiving') deliver(seat, asked, told, sink.path);
    } catch (error) {
      if (asked.state !== 'receiving') return; // Nobody waits for it any longer.
      asked.state = 'open';
      if (!isConsiliumError(error, 'ConnectError')) {
        finish(asked, notReceived(error));
        say(seat, told, lost);
      } else if (seat.channel && seat.channel !== channel)
        tell(seat); // It is back already: it offers its answer again.
      else if (!seat.channel) watchLost(seat.name, asked);
    }
  }

  function refuseSize(seat: Seat, asked: Asked, told: Told): void {
    const reason = `The answer has ${told.blob.size} bytes; at most ${spec.answerLimit} are taken in this job.`;
    asked.settled = { outcome: 'rejected', reason };
    finish(asked, { status: 'failed', tag: 'UpdateRejectedError', message: reason });
    say(seat, told, asked.settled);
  }

  function deliver(seat: Seat, asked: Asked, told: Told, file: string): void {
    noLongerWaitedFor(asked, 'delivered')?.resolve({
      status: 'answered',
      file,
      sha256: told.blob.sha256,
      settle(outcome, reason) {
        asked.settled = { outcome, reason };
        say(seat, told, asked.settled);
      },
    });
  }

  /** Tells when a site that is out of touch is lost: at once when it was so before it was asked. One that is barred has failed. */
  function watchLost(site: string, asked: Asked): void {
    const { pending } = asked;
    if (!pending) return;
    const message = barred(site);
    if (message !== undefined) {
      finish(asked, { status: 'failed', tag: 'RefusedError', message });
      return;
    }
    const silentMs = () => clock.monotonicMs() - seatOf(site).sinceMs;
    pending.cancelWatch();
    pending.cancelWatch = clock.after(Math.max(1, times.siteLostMs - silentMs()), () => {
      if (!seatOf(site).channel) pending.lost(`out of touch for ${Math.round(silentMs() / 1000)} s`);
    });
  }

  function turn(task: HubTask): void {
    current = { id: task.id, round: task.round };
    for (const [site, seatJob] of sites) {
      for (const [id, asked] of seatJob.asked) if (asked.task.round < task.round - 1) seatJob.asked.delete(id);
      const offers = [...seatJob.offers.values()];
      seatJob.offers.clear();
      for (const told of offers) offer(seatOf(site), seatJob, told);
    }
  }

  function ask(site: string, task: HubTask, { signal, lost }: AskOptions): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const answered = (outcome: Outcome) => {
        signal.removeEventListener('abort', stop);
        resolve(outcome);
      };
      const asked = newAsked(task, clock.monotonicMs(), { lost, resolve: answered });
      const stop = () => {
        noLongerWaitedFor(asked, 'closed')?.stop.abort(signal.reason);
        seatOf(site).channel?.send({ type: 'close-task', job: spec.id, task: task.id, reason: 'late' });
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      begin(seatOf(site), seatJobOf(site), asked);
    });
  }

  function begin(seat: Seat, seatJob: SeatJob, asked: Asked): void {
    const { task } = asked;
    const offered = seatJob.offers.get(task.id);
    seatJob.asked.set(task.id, asked);
    seatJob.offers.delete(task.id);
    if (seatJob.verdict === 'refused' || seatJob.verdict === 'withdrawn') finish(asked, refused(seatJob));
    else if (!seat.channel) watchLost(seat.name, asked);
    else if (offered) void fetchAnswer(seat, asked, { ...offered, round: task.round });
    else if (seatJob.verdict === 'accepted') seat.channel.send(taskMessage(spec.id, asked));
  }

  function withdraw(site: string, reason: string): void {
    const seatJob = seatJobOf(site);
    if (seatJob.verdict === 'withdrawn') return;
    Object.assign(seatJob, { verdict: 'withdrawn', reason });
    seatJob.offers.clear();
    for (const asked of waitedFor(seatJob)) finish(asked, refused(seatJob));
    tellWithdrawn(seatOf(site), seatJob);
  }

  function tellWithdrawn({ channel }: Seat, seatJob: SeatJob): void {
    channel?.send({ type: 'end-job', job: spec.id, outcome: 'aborted', reason: withdrawn(seatJob) });
  }

  function pause(): void {
    ended();
    for (const asked of [...sites.values()].flatMap(waitedFor)) {
      finish(asked, { status: 'failed', tag: 'AbortedError', message: 'the job is over' });
    }
  }

  function end(outcome: 'finished' | 'failed' | 'aborted', reason: string): void {
    pause();
    for (const [site, { verdict }] of sites) {
      if (verdict === 'refused' || verdict === 'withdrawn') continue;
      seatOf(site).channel?.send({ type: 'end-job', job: spec.id, outcome, reason });
    }
  }
}

/** From here on the memory of an answer that has been written to disk is worth a look. */
const largeBytes = 4 * 2 ** 20;
