/**
 * The jobs and tasks that a site has in hand. The server may say the same twice: after a lost connection it does.
 *
 * @module
 */
import { AbortedError } from '../errors';
import { failureSummary } from '../protocol/failure-summary';
import type { MessageOf } from '../protocol/wire/messages';
import { failpoint } from '../util/failpoint';
import type { AgentOptions } from './agent-types';
import type { ChannelMessage } from './channel';
import type { CloseReason } from './connection';
import type { Link } from './link';

/** Why a site ends a connection on which all is well. */
export const ownTrouble: CloseReason = {
  code: 'gone',
  message: 'The site could not carry out what it was told, and connects anew.',
  hint: 'The log of the site says why.',
};

/** A task in hand; or one that failed, until the server has been told. */
interface TaskInHand {
  readonly job: string;
  readonly stop: AbortController;
  work: Promise<void>;
  failure?: MessageOf<'task-failed'>;
}

export interface AgentTasks {
  /** False for a message that a server does not send. */
  receive(message: ChannelMessage): boolean;
  /** Stops everything in hand, and resolves when it has ended. */
  end(): Promise<void>;
}

export function createAgentTasks({ jobs, on }: Pick<AgentOptions, 'jobs' | 'on'>, link: Link): AgentTasks {
  const tasks = new Map<string, TaskInHand>();
  const stopped = new AbortController();
  const working = new Set<Promise<void>>();
  return {
    receive(message) {
      switch (message.type) {
        case 'job':
          keepUp(offered(message));
          return true;
        case 'task':
          given(message);
          return true;
        case 'close-task':
          tasks.get(message.task)?.stop.abort(new AbortedError('Nobody waits for this answer any longer.'));
          return true;
        case 'answered':
          keep(answered(message));
          return true;
        case 'end-job':
          keepUp(jobEnded(message));
          return true;
        default:
          return false;
      }
    },
    async end() {
      stopped.abort(new AbortedError('The site is stopping.'));
      for (const { stop } of tasks.values()) stop.abort(stopped.signal.reason);
      await Promise.all(working);
    },
  };

  /** What a message sets going. An error of the site itself is told to whoever runs it. */
  function keep(work: Promise<void>): Promise<void> {
    const watched = work
      .catch((error: unknown) => {
        if (!stopped.signal.aborted) on({ kind: 'trouble', error });
      })
      .finally(() => working.delete(watched));
    working.add(watched);
    return watched;
  }

  /** What the server tells once a connection, and must not be lost: it is told again on the next one. */
  function keepUp(work: Promise<void>): void {
    work.catch(() => link.drop(ownTrouble));
    keep(work);
  }

  async function offered({ job, bundle }: MessageOf<'job'>): Promise<void> {
    const verdict = await jobs.offered(job, bundle, link.fetch, stopped.signal);
    on({ kind: 'job-offered', job, ...verdict });
    link.send({ type: 'job-answer', job, ...verdict });
  }

  function given(message: MessageOf<'task'>): void {
    const earlier = tasks.get(message.task);
    if (earlier?.failure) {
      if (link.send(earlier.failure)) tasks.delete(message.task);
      return;
    }
    if (earlier && !earlier.stop.signal.aborted) return; // It is in hand.
    const task: TaskInHand = { job: message.job, stop: new AbortController(), work: Promise.resolve() };
    tasks.set(message.task, task);
    // One that was closed and is asked anew begins when the first attempt has let go.
    task.work = keep((earlier?.work ?? Promise.resolve()).then(() => carryOut(message, task)));
  }

  async function carryOut(message: MessageOf<'task'>, task: TaskInHand): Promise<void> {
    const { job, round, task: id } = message;
    const { signal } = task.stop;
    try {
      signal.throwIfAborted();
      on({ kind: 'task-started', job, round, task: id });
      const answer = await jobs.run(message, link.fetch, {
        signal,
        progress: (progress) => void link.send({ type: 'progress', job, round, ...progress }),
      });
      forget(id, task);
      on({ kind: 'answering', job, task: id, ...answer });
      link.send({ type: 'answer', job, task: id, ...answer });
    } catch (error) {
      if (signal.aborted) return forget(id, task);
      on({ kind: 'task-failed', job, round, error });
      const { tag, message } = failureSummary(error);
      task.failure = { type: 'task-failed', job, task: id, error: { tag, message } };
      if (link.send(task.failure)) forget(id, task);
    }
  }

  function forget(id: string, task: TaskInHand): void {
    if (tasks.get(id) === task) tasks.delete(id);
  }

  async function answered({ job, task, outcome, reason }: MessageOf<'answered'>): Promise<void> {
    failpoint('answer-told', outcome);
    on({ kind: 'answered', job, task, outcome, reason });
    await jobs.answered(job, task, outcome, reason);
  }

  async function jobEnded({ job, outcome, reason }: MessageOf<'end-job'>): Promise<void> {
    const ofJob = [...tasks.values()].filter((task) => task.job === job);
    for (const { stop } of ofJob) stop.abort(new AbortedError(`The job has ${outcome}.`));
    await Promise.all(ofJob.map(({ work }) => work));
    await jobs.ended(job, outcome, reason);
    on({ kind: 'job-ended', job, outcome, reason });
  }
}
