/**
 * The server's end of all sites: who is connected, and which jobs each is to know of.
 *
 * Nothing here is sent until it is known to have arrived. Whatever is lost closes the channel; when the site is back, both ends
 * say where they stand, and what is missing is sent again.
 *
 * @module
 */
import type { MessageOf, SiteJobState } from '../protocol/wire/messages';
import { protocolVersion } from '../protocol/wire/messages';
import { type Channel, type ChannelMessage, openChannel } from './channel';
import type { CloseReason, Connection, ConnectionHandler } from './connection';
import { createHubJob, type HubJobSeats } from './hub-job';
import type { Hub, HubJob, HubOptions, OpenJob } from './hub-types';
import type { Seat } from './seat-job';
import { windowShare } from './window-share';

type MutableSeat = { -readonly [K in keyof Seat]: Seat[K] } & {
  /** What the connected site has said of jobs that are not open: they may be opened later, after a restart or a pause. */
  readonly states: Map<string, SiteJobState>;
  /** Which process of the site is connected, or was last. */
  boot: string | undefined;
};

export function createHub(options: HubOptions): Hub {
  const { clock, times, barred = () => undefined, on } = options;
  const seats = new Map<string, MutableSeat>();
  const jobs = new Map<string, HubJobSeats>();
  const share = windowShare();

  return {
    connect,
    open,
    status(site) {
      const { channel, sinceMs, software, resources } = seatOf(site);
      return { connected: channel !== undefined, sinceMs, software, resources };
    },
    sites: () => [...seats.keys()].sort(),
    review() {
      for (const seat of seats.values()) if (!seat.channel) for (const job of jobs.values()) job.left(seat);
    },
    close(reason) {
      for (const { channel } of seats.values()) channel?.close(reason);
    },
  };

  function seatOf(name: string): MutableSeat {
    const known = seats.get(name);
    if (known) return known;
    const sinceMs = clock.monotonicMs();
    const nobody = { channel: undefined, software: undefined, resources: undefined, boot: undefined };
    const seat: MutableSeat = { name, sinceMs, states: new Map(), ...nobody };
    seats.set(name, seat);
    return seat;
  }

  function connect(connection: Connection): ConnectionHandler {
    const seat = seatOf(connection.peer.name);
    let isWelcome = false;
    const { channel, handler } = openChannel(connection, {
      clock,
      heartbeatMs: times.heartbeatMs,
      deadMs: times.deadMs,
      opening: { expect: 'hello', withinMs: times.helloMs },
      share,
      source: (sha256) => sourceFor(seat.name, sha256),
      unreadable: (_, error) => options.unreadable(seat.name, error),
      message(message) {
        if (isWelcome) receive(seat, channel, message);
        else if (message.type === 'hello') isWelcome = welcome(seat, channel, message);
      },
      closed(reason) {
        if (isWelcome) leave(seat, channel, reason);
      },
    });
    return handler;
  }

  function sourceFor(site: string, sha256: string) {
    for (const job of jobs.values()) {
      const source = job.source(site, sha256);
      if (source) return source;
    }
    return undefined;
  }

  /** Answers a hello; false when the site is sent away. */
  function welcome(seat: MutableSeat, channel: Channel, hello: MessageOf<'hello'>): boolean {
    if (!hello.protocols.includes(protocolVersion)) {
      channel.close(wrongVersion(hello));
      return false;
    }
    const earlier = seat.channel;
    const isAnotherProcess = seat.boot !== hello.boot;
    Object.assign(seat, {
      channel,
      sinceMs: clock.monotonicMs(),
      software: hello.software,
      resources: hello.resources,
      boot: hello.boot,
    });
    earlier?.close(connectedAnew);
    if (earlier && isAnotherProcess) on({ kind: 'site-replaced', site: seat.name });
    const session = options.newSession();
    const { heartbeatMs, deadMs } = times;
    const about = { software: options.software, session, serverTimeMs: clock.wallMs(), heartbeatMs, deadMs };
    channel.send({ type: 'welcome', protocol: protocolVersion, ...about });
    const nowMs = clock.wallMs();
    const aheadMs = (hello.timeMs ?? nowMs) - nowMs;
    on({ kind: 'site-joined', site: seat.name, session, software: hello.software, aheadMs });
    const states = new Map(hello.jobs?.map((state) => [state.job, state]));
    for (const [id, job] of jobs) if (job.has(seat.name)) job.resume(seat, states.get(id));
    seat.states.clear();
    for (const [id, state] of states) if (!jobs.get(id)?.has(seat.name)) standsStill(seat, channel, state);
    return true;
  }

  function leave(seat: MutableSeat, channel: Channel, reason: CloseReason): void {
    if (seat.channel !== channel) return; // It was replaced; its successor is there.
    Object.assign(seat, { channel: undefined, sinceMs: clock.monotonicMs() });
    on({ kind: 'site-left', site: seat.name, reason });
    for (const job of jobs.values()) job.left(seat);
  }

  /** A site still knows a job that is not open: it has ended, or will be opened. */
  function standsStill(seat: MutableSeat, channel: Channel, known: SiteJobState): void {
    const { job, state } = known;
    const how = options.ended(job);
    if (how === 'waiting') seat.states.set(job, known);
    if (how === 'waiting' || state === 'ended') return;
    const { outcome, reason } = how ?? { outcome: 'aborted', reason: 'The server does not know this job.' };
    channel.send({ type: 'end-job', job, outcome, reason });
  }

  function receive(seat: Seat, channel: Channel, message: ChannelMessage): void {
    switch (message.type) {
      case 'job-answer':
      case 'task-failed':
      case 'progress':
      case 'answer': {
        const job = jobs.get(message.job);
        if (job?.has(seat.name)) job.receive(seat, message);
        else if (message.type === 'answer') refuseAnswer(seat, message);
        break;
      }
      default:
        channel.close({ code: 'protocol', message: `A site does not send '${message.type}'.` });
    }
  }

  function refuseAnswer({ name: site, channel }: Seat, { job, task, round, blob }: MessageOf<'answer'>): void {
    const told = { job, task, outcome: 'unknown-task', reason: 'The server does not run this job.' } as const;
    on({ kind: 'answered', site, round, blob, ...told });
    channel?.send({ type: 'answered', ...told });
  }

  function open(spec: HubJob): OpenJob {
    const { id } = spec;
    const job = createHubJob(spec, { clock, times, seatOf, barred, on, ended: () => closed(id, job) });
    jobs.set(id, job);
    for (const site of spec.sites) {
      const seat = seatOf(site);
      if (seat.channel) job.resume(seat, seat.states.get(id));
      seat.states.delete(id);
    }
    return job.open;
  }

  /** A job is not open any more. A site that has accepted it need not be asked again when it is opened anew. */
  function closed(id: string, job: HubJobSeats): void {
    jobs.delete(id);
    if (options.ended(id) !== 'waiting') return;
    for (const seat of seats.values()) {
      if (!seat.channel || !job.has(seat.name) || job.open.verdict(seat.name).verdict !== 'accepted') continue;
      seat.states.set(id, { job: id, state: 'accepted', working: [], answers: [...job.unsettled(seat.name)] });
    }
  }
}

/** Why an earlier connection of a site gives way. */
const connectedAnew: CloseReason = {
  code: 'replaced',
  message: 'The same site has connected anew.',
  hint: 'If nobody did that on purpose, the same startup kit is in use twice: stop one of the two.',
};

/** Why somebody is sent away who speaks none of the server's versions. */
export function wrongVersion({ protocols, software }: Pick<MessageOf<'hello'>, 'protocols' | 'software'>): CloseReason {
  return {
    code: 'version',
    message: `The server speaks version ${protocolVersion} of the protocol, but ${software} speaks ${protocols.join(', ')}.`,
    hint: 'Install the same release at both ends.',
  };
}
