/**
 * What happens at a site, in words: for its log, and for its audit log.
 *
 * @module
 */
import { errorToData, isConsiliumError } from '../../errors';
import type { LogFields, LogLevel } from '../../tracking/run-log';
import { clockSkew } from '../../util/clock-skew';
import type { AuditEvent } from '../audit';
import type { SiteEvent } from './start-site';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Nothing for what is told too often. */
export function logLine(event: SiteEvent): LogLine | undefined {
  const line = (level: LogLevel, message: string, fields: LogFields = {}): LogLine => ({ level, message, fields });
  switch (event.kind) {
    case 'connected': {
      const { software, clockSkewMs } = event;
      const skew = clockSkew(clockSkewMs);
      const connected = `connected to the server (${software})`;
      return skew === undefined ? line('info', connected) : line('warn', `${connected}; ${skew}`);
    }
    case 'disconnected':
      return line('warn', `disconnected: ${hinted(event.reason.message, event.reason.hint)}`, {
        code: event.reason.code,
      });
    case 'unreachable':
      return line('warn', `cannot connect: ${hinted(event.error.message, event.error.hint)}`);
    case 'retrying':
      return line('info', `reconnecting in ${(event.inMs / 1000).toFixed(1)} s`);
    case 'job-offered':
      if (event.verdict === 'accepted') return line('info', 'job accepted', { run: event.job });
      return line('warn', `job refused: ${event.reason}`, { run: event.job });
    case 'job-ended': {
      const { job: run, outcome, reason } = event;
      return line('info', `job ${outcome}${reason === '' ? '' : `: ${reason}`}`, { run });
    }
    case 'task-started':
      return line('info', 'task started', { run: event.job, round: event.round, task: event.task.slice(0, 8) });
    case 'answering':
      return line('info', `answer of ${(event.blob.size / 1e6).toFixed(3)} MB ready`, {
        ...{ run: event.job, round: event.round, task: event.task.slice(0, 8) },
      });
    case 'task-failed': {
      const { message, hint } = errorToData(event.error);
      return line('error', `task failed: ${hinted(message, hint)}`, { run: event.job, round: event.round });
    }
    case 'answered': {
      const { job: run, outcome, reason, task } = event;
      const level = outcome === 'rejected' ? 'warn' : 'info';
      return line(level, `answer ${outcome}${reason === '' ? '' : `: ${reason}`}`, { run, task: task.slice(0, 8) });
    }
    case 'trouble': {
      const { message, hint, stack } = errorToData(event.error);
      return line('error', `${hinted(message, hint)}${isConsiliumError(event.error) ? '' : `\n${stack ?? ''}`}`);
    }
    case 'progress':
      return undefined;
  }
}

/** A message, which is perhaps no sentence, and the next step behind it. */
function hinted(message: string, hint: string | undefined): string {
  if (hint === undefined) return message;
  return `${/[.!?…]$/.test(message) ? message : `${message}.`} ${hint}`;
}

/** Nothing for what is recorded elsewhere, or does not concern anybody's data. */
export function auditEvent(event: SiteEvent): AuditEvent | undefined {
  switch (event.kind) {
    case 'connected':
      return { event: 'connected', session: event.session, software: event.software };
    case 'disconnected':
      return { event: 'disconnected', code: event.reason.code };
    case 'job-ended':
      return { event: 'job-ended', job: event.job, outcome: event.outcome };
    case 'task-failed':
      return { event: 'task-failed', job: event.job, round: event.round, tag: errorToData(event.error).tag };
    case 'answered':
      return { event: `answer-${event.outcome}`, job: event.job, task: event.task };
    default:
      return undefined;
  }
}
