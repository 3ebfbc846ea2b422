/**
 * Moments at which a process can be made to end as `kill -9` ends it, for tests: with `NODE_ENV=test` and
 * `CONSILIUM_FAILPOINT=<name>[@<text>][:<n>]` it ends at the n-th time (default: the first) that it comes by the point of that name,
 * where what the point is about holds the text. Otherwise nothing happens.
 *
 * @module
 */

export type Failpoint =
  // A file is written as a whole: before it is flushed, before it gets its name, before the name is flushed.
  | 'file-written'
  | 'file-flushed'
  | 'file-renamed'
  // A blob has arrived: before it is flushed, and after.
  | 'blob-written'
  | 'blob-flushed'
  | 'chunk-sent'
  // The server: an answer is offered, taken into the journal, flushed there, added to the sums.
  | 'answer-offered'
  | 'update-renamed'
  | 'update-kept'
  | 'update-added'
  | 'checkpoint-switched'
  // The site: it has the model of a task, has kept its answer, hears what became of it.
  | 'model-received'
  | 'answer-kept'
  | 'answer-told';

interface Armed {
  readonly name: string;
  readonly text: string;
  left: number;
}

const armed = process.env.NODE_ENV === 'test' ? armedBy(process.env.CONSILIUM_FAILPOINT) : undefined;

/** @param about what this time is about: a path, a round */
export function failpoint(name: Failpoint, about = ''): void {
  if (armed === undefined || armed.name !== name || !about.includes(armed.text) || --armed.left > 0) return;
  process.kill(process.pid, 'SIGKILL');
}

function armedBy(spec: string | undefined): Armed | undefined {
  const [, name, text = '', times = '1'] = /^([a-z-]+)(?:@([^:]*))?(?::(\d+))?$/.exec(spec ?? '') ?? [];
  return name === undefined ? undefined : { name, text, left: Number(times) };
}
