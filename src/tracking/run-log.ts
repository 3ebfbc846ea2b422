/**
 * The log of a run: `log.txt` for people, `log.json` for machines (one object a line), both written line by line.
 *
 * @module
 */
import { join } from 'node:path';
import { appendData } from '../util/atomic-file';
import { indentedLines } from '../util/one-line';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogFields {
  readonly run?: string;
  readonly round?: number;
  readonly site?: string;
  readonly [field: string]: string | number | boolean | null | undefined;
}

export interface RunLog {
  /** Adds a line. Writing goes on in the background, in order; {@link RunLog.flush} tells whether it worked. */
  write(level: LogLevel, message: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields`. */
  with(fields: LogFields): RunLog;
  /** Resolves when all lines so far are in the files. @throws WorkspaceError for the first line that could not be. */
  flush(): Promise<void>;
}

export interface RunLogOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Lines below this level are left out. Default `info`. */
  readonly level?: LogLevel;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log in `folder`. Lines are added to those of earlier runs of the folder. */
export function openRunLog(folder: string, { clock, level: lowest = 'info' }: RunLogOptions): RunLog {
  let waiting: LogEntry[] = [];
  let queue: Promise<void> = Promise.resolve();
  return logWith({});

  function logWith(fixed: LogFields): RunLog {
    return {
      write(level, message, fields = {}) {
        if (levels.indexOf(level) < levels.indexOf(lowest)) return;
        const entry = { time: new Date(clock()).toISOString(), level, ...fixed, ...fields, message };
        waiting.push(entry);
        if (waiting.length > 1) return; // They go with the one before.
        queue = queue.then(append);
        queue.catch(() => undefined); // The failure is kept in the queue for whoever flushes.
      },
      with: (fields) => logWith({ ...fixed, ...fields }),
      flush: () => queue,
    };
  }

  async function append(): Promise<void> {
    const entries = waiting;
    waiting = [];
    await appendData(join(folder, 'log.txt'), entries.map((entry) => `${formatLine(entry)}\n`).join(''));
    await appendData(join(folder, 'log.json'), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
}

type LogEntry = LogFields & { readonly time: string; readonly level: LogLevel; readonly message: string };

/** `2026-01-31 12:00:00.000 INFO  round 2 site-1: message (steps 6)`; line feeds in the message are indented. */
function formatLine({ time, level, message, run: _, round, site, ...rest }: LogEntry): string {
  const where = [...(round === undefined ? [] : [`round ${round}`]), ...(site === undefined ? [] : [site])].join(' ');
  const fields = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  const text = indentedLines(message);
  const stamp = time.replace('T', ' ').replace('Z', '');
  const suffix = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  return `${stamp} ${level.toUpperCase().padEnd(5)} ${where === '' ? '' : `${where}: `}${text}${suffix}`;
}
