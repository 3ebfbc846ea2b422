/**
 * Sites in this process tree. The links decide where the work happens (a worker thread, a test double).
 *
 * @module
 */
import { AbortedError, ConfigError, errorToData, isConsiliumError } from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { BroadcastOptions, Sites } from '../protocol/sites';

/** One site as the transport sees it. */
export interface SiteLink {
  readonly name: string;
  /** Carries out the task. Rejects when the site cannot; the transport tells the workflow. */
  run(task: Task, signal: AbortSignal): Promise<Update>;
}

/** The port over links in this process. Answers come in the order in which the sites finish. */
export function inMemorySites(links: readonly SiteLink[]): Sites {
  const byName = new Map(links.map((link) => [link.name, link]));
  return {
    names: links.map((link) => link.name),
    broadcast: (task, names, options) => broadcast(names.map(lookUp), task, options),
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
  { deadlineSeconds, signal }: BroadcastOptions,
): AsyncGenerator<SiteAnswer> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(deadlineSeconds * 1000, 0x7fffffff));
  const taskSignal = AbortSignal.any([signal, deadline.signal]);
  const interrupted = new Promise<'interrupted'>((resolve) => {
    taskSignal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const waiting = new Map(links.map((link) => [link.name, answer(link, task, taskSignal)]));
  try {
    while (waiting.size > 0) {
      const first = taskSignal.aborted ? 'interrupted' : await Promise.race([interrupted, ...waiting.values()]);
      if (signal.aborted) throw new AbortedError('The run was stopped.');
      if (first === 'interrupted') {
        for (const site of waiting.keys()) yield { status: 'late', site };
        return;
      }
      waiting.delete(first.site);
      yield first;
    }
  } finally {
    clearTimeout(timer);
    // A workflow that stops listening, in error or on purpose, also stops the sites.
    deadline.abort();
  }
}

async function answer(link: SiteLink, task: Task, signal: AbortSignal): Promise<SiteAnswer> {
  try {
    return { status: 'ok', site: link.name, update: await link.run(task, signal) };
  } catch (error) {
    return { status: 'failed', site: link.name, error: withoutDetails(error) };
  }
}

/** What the server may know of a site's failure: its kind. File names and values stay in the site's own log. */
function withoutDetails(error: unknown) {
  const { tag } = errorToData(error);
  const what = isConsiliumError(error) ? tag : 'an unexpected error';
  return { tag, message: `${what}; the site's log has the details`, hint: undefined, stack: undefined };
}
