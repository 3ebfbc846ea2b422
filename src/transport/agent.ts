/**
 * A site's end of the connection to its server: dials, says where it stands, hands on what it is given, and dials again
 * whatever happens. It decides nothing itself: what a job or a task means is its `SiteJobs`' to know.
 *
 * @module
 */
import { isConsiliumError } from '../errors';
import { type MessageOf, protocolVersion } from '../protocol/wire/messages';
import { delay } from '../util/clock';
import { createAgentTasks, ownTrouble } from './agent-tasks';
import type { AgentOptions, AgentTimes } from './agent-types';
import { type Channel, type ChannelMessage, dialChannel } from './channel';
import type { CloseReason } from './connection';
import { jobsToTell } from './jobs-to-tell';
import { createLink } from './link';

interface SessionEnd {
  readonly wasWelcome: boolean;
  readonly reason: CloseReason;
}

/** Runs until its signal is aborted; then everything in hand has ended. Throws only what is wrong in the program itself. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { clock, dialer, times, jobs, on, signal } = options;
  const link = createLink();
  const tasks = createAgentTasks(options, link);
  try {
    for (let failures = 0; !signal.aborted; ) {
      const wasWell = await oneSession();
      if (signal.aborted) break;
      failures = wasWell ? 0 : failures + 1;
      const inMs = backOffMs(times, failures, options.random());
      on({ kind: 'retrying', inMs });
      await delay(clock, inMs, signal).catch(() => {}); // Stopped: the loop ends.
    }
  } finally {
    await tasks.end();
  }

  /** From dialling to the end of the connection; whether both ends were well. */
  async function oneSession(): Promise<boolean> {
    const begunMs = clock.monotonicMs();
    try {
      const { wasWelcome, reason } = await session();
      on({ kind: 'disconnected', reason });
      return wasWelcome && reason !== ownTrouble && !isRivalled(reason, clock.monotonicMs() - begunMs, times);
    } catch (error) {
      if (!isConsiliumError(error)) throw error;
      if (!signal.aborted) on({ kind: 'unreachable', error });
      return false;
    }
  }

  async function session(): Promise<SessionEnd> {
    let wasWelcome = false;
    let channel: Channel | undefined;
    let end = (_: CloseReason) => {};
    const ended = new Promise<CloseReason>((resolve) => {
      end = resolve;
    });
    const stop = () => channel?.close({ code: 'stopping', message: 'The site is stopping.' });
    const receive = (message: ChannelMessage) => {
      if (message.type === 'welcome') {
        wasWelcome = welcome(channel!, message);
      } else if (!tasks.receive(message)) {
        channel!.close({ code: 'protocol', message: `A server does not send '${message.type}'.` });
      }
    };
    channel = await dialChannel(
      dialer,
      {
        clock,
        heartbeatMs: times.heartbeatMs,
        deadMs: times.deadMs,
        opening: { expect: 'welcome', withinMs: times.welcomeMs },
        source: (sha256) => jobs.source(sha256),
        unreadable: (_, error) => on({ kind: 'trouble', error }),
        message: receive,
        closed: (reason) => end(reason),
      },
      signal,
    );
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    sayHello(channel);
    const reason = await ended;
    signal.removeEventListener('abort', stop);
    link.closed(channel);
    return { wasWelcome, reason };
  }

  function sayHello(channel: Channel): void {
    const { software, boot, resources } = options;
    try {
      const told = { jobs: jobsToTell(jobs.states()), timeMs: clock.wallMs() };
      channel.send({ type: 'hello', protocols: [protocolVersion], software, boot, resources, ...told });
    } catch (error) {
      channel.close(ownTrouble);
      throw error;
    }
  }

  function welcome(channel: Channel, message: MessageOf<'welcome'>): boolean {
    const { protocol, session, software, serverTimeMs, heartbeatMs, deadMs } = message;
    if (protocol !== protocolVersion) {
      channel.close({
        code: 'version',
        message: `The server chose version ${protocol} of the protocol, which was not offered.`,
        hint: 'Install the same release at both ends.',
      });
      return false;
    }
    channel.setTimes({ heartbeatMs, deadMs });
    link.opened(channel);
    on({ kind: 'connected', session, software, clockSkewMs: serverTimeMs - clock.wallMs() });
    return true;
  }
}

/**
 * Another process of this site has taken the connection over soon after it was made, perhaps as this one had taken over that
 * one's: without growing pauses they would do so for ever. Each is back within the longest pause, so soon is twice that.
 */
function isRivalled({ code }: CloseReason, lastedMs: number, { reconnectMaxMs }: AgentTimes): boolean {
  return code === 'replaced' && lastedMs < 2 * reconnectMaxMs;
}

/** Twice as long each time, up to the longest, and somewhere in the upper half of that: many sites do not come back at once. */
function backOffMs({ reconnectMinMs, reconnectMaxMs }: AgentTimes, failures: number, random: number): number {
  const longest = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(failures, 30));
  return longest * (0.5 + random / 2);
}
