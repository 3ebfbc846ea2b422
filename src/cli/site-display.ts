/**
 * What a site says on a terminal.
 *
 * @module
 */
import { logLine } from '../runtime/client/site-events-text';
import type { SiteEvent } from '../runtime/client/start-site';
import { indentedLines } from '../util/one-line';
import { errColours } from './colours';

/** Plain lines. Of progress, a line whenever a tenth more is done. */
export function siteDisplay(): (event: SiteEvent) => void {
  const tenths = new Map<string, number>();
  let why = '';
  return (event) => {
    if (event.kind === 'progress') {
      const { job, round, progress } = event;
      const { phase, done, total, loss } = progress;
      const key = `${job} ${round} ${phase}`;
      const tenth = Math.floor((10 * done) / Math.max(1, total));
      if (tenth === (tenths.get(key) ?? 0)) return;
      if (tenth === 10) tenths.delete(key);
      else tenths.set(key, tenth);
      const what = phase === 'train' ? 'step' : 'validation';
      const shown = loss === undefined ? '' : `, loss ${loss.toFixed(3)}`;
      return tell('info', `${job} round ${round}: ${what} ${done}/${total}${shown}`);
    }
    if (event.kind === 'disconnected' || event.kind === 'unreachable') {
      const { message, hint } = event.kind === 'disconnected' ? event.reason : event.error;
      why = [message, hint].filter(Boolean).join(' ');
      return; // Said with what comes of it.
    }
    if (event.kind === 'retrying') {
      return tell('warn', `reconnecting in ${(event.inMs / 1000).toFixed(1)} s, because: ${why}`);
    }
    const line = logLine(event);
    if (!line) return;
    const { run, round } = line.fields;
    const where = [run, round === undefined ? undefined : `round ${round}`].filter((part) => part !== undefined);
    tell(line.level, `${where.length === 0 ? '' : `${where.join(' ')}: `}${line.message}`);
  };
}

export function tell(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
  const mark = level === 'error' ? errColours.red('error ') : level === 'warn' ? errColours.yellow('warning ') : '';
  process.stderr.write(`${new Date().toISOString()} ${mark}${indentedLines(message)}\n`);
}
