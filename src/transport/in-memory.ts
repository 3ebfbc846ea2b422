/**
 * Sites in this process tree. The links decide where the work happens (a worker thread, a test double).
 *
 * @module
 */
import { AbortedError, ConfigError } from '../errors';
import { failureSummary } from '../protocol/failure-summary';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { BroadcastOptions, Sites } from '../protocol/sites';
import { arrivals } from '../util/arrivals';
import { linkedController } from '../util/linked-controller';

/** One site as the transport sees it. */
export interface SiteLink {
  readonly name: string;
  /** Carries out the task. Rejects when the site cannot; the transport tells the workflow. */
  run(task: Task, signal: AbortSignal): Promise<Update>;
  /** Gives the memory of an update back: its tensors may hold another one soon. */
  release?(update: Update): void;
}

export interface InMemoryOptions {
  /**
   * How many sites may be at work, or have answered, beyond the first whose answer the workflow has not taken yet. It bounds
   * the answers that wait, here and in an aggregator that adds them in the order of the sites. @default no bound
   */
  readonly ahead?: number;
}

/** The port over links in this process. Answers come in the order in which the sites finish. */
export function inMemorySites(links: readonly SiteLink[], { ahead = links.length }: InMemoryOptions = {}): Sites {
  const byName = new Map(links.map((link) => [link.name, link]));
  return {
    names: links.map((link) => link.name),
    broadcast: (task, names, options) => broadcast(names.map(lookUp), task, { ...options, ahead }),
  };

  function lookUp(name: string): SiteLink {
    const link = byName.get(name);
    if (!link) throw new ConfigError(`There is no site '${name}'; the sites are ${[...byName.keys()].join(', ')}.`);
    return link;
  }
}

async function* broadcast(
  links: readonly SiteLink[],
  task: Task,
  { deadlineSeconds, until, signal, ahead }: BroadcastOptions & Required<InMemoryOptions>,
): AsyncGenerator<SiteAnswer> {
  if (signal.aborted) throw new AbortedError('The run was stopped.');
  const asking = linkedController([signal, ...(until ? [until] : [])]);
  const timer = setTimeout(asking.abort, Math.min(deadlineSeconds * 1000, 0x7fffffff));
  const taskSignal = asking.signal;
  const arrived = arrivals<{ readonly index: number; readonly answer: SiteAnswer }>();
  taskSignal.addEventListener('abort', arrived.interrupt, { once: true });
  const taken = new Set<number>();
  let firstOpen = 0;
  let asked = 0;
  try {
    while (taken.size < links.length) {
      for (; asked < Math.min(links.length, firstOpen + ahead); asked++) ask(asked, links[asked]!);
      const next = await arrived.next();
      if (signal.aborted) throw new AbortedError('The run was stopped.');
      if (next === 'interrupted') {
        for (const [index, { name }] of links.entries()) if (!taken.has(index)) yield { status: 'late', site: name };
        return;
      }
      yield next.answer;
      taken.add(next.index);
      while (taken.has(firstOpen)) firstOpen++;
    }
  } finally {
    clearTimeout(timer);
    // A workflow that stops listening, in error or on purpose, also stops the sites.
    asking.close();
  }

  function ask(index: number, link: SiteLink): void {
    void answerOf(link, task, taskSignal).then((answer) => arrived.push({ index, answer }));
  }
}

async function answerOf(link: SiteLink, task: Task, signal: AbortSignal): Promise<SiteAnswer> {
  try {
    const update = await link.run(task, signal);
    return { status: 'ok', site: link.name, update, release: () => link.release?.(update) };
  } catch (error) {
    return { status: 'failed', site: link.name, error: failureSummary(error) };
  }
}
