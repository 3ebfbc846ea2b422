import { stripVTControlCharacters } from 'node:util';
import type { RunEvent } from '../jobs/environment';
import type { RunEntry } from '../protocol/run-event';
import { counted } from '../util/counted';
import { formatEpsilon } from './describe-round';
import { metricsText } from './job-lines';

/** What happened in a run, in one line; nothing for what only programs want. */
export function eventLine({ time, event }: RunEntry): string | undefined {
  const text = eventText(event);
  return text === undefined ? undefined : `${time.slice(0, 19).replace('T', ' ')}  ${stripVTControlCharacters(text)}`;
}

function eventText(event: RunEvent): string | undefined {
  switch (event.kind) {
    case 'started':
      return event.resumedAt === undefined ? 'started' : `continued in round ${event.resumedAt}`;
    case 'round-started':
      return `round ${event.round} of ${event.rounds} begins`;
    case 'round-finished':
      return roundText(event);
    case 'site-joined':
      return `${event.site} is connected`;
    case 'site-lost':
      return `${event.site} is out of touch: ${event.reason}`;
    case 'site-failed':
      return `${event.site} has no part in the ${event.task} task of round ${event.round}: ${event.reason}`;
    case 'log':
      return `${event.level === 'warn' ? 'warning: ' : ''}${event.site === undefined ? '' : `${event.site}: `}${event.message}`;
    case 'done':
      return event.outcome;
    case 'progress':
    case 'metrics':
    case 'privacy':
      return undefined;
  }
}

function roundText({ round, final, metrics, sites, epsilon, differentiallyPrivate, seconds }: RoundFinished): string {
  const answered = sites.filter(({ status }) => status === 'ok').length;
  const absent = sites.filter(({ status }) => status !== 'ok').map(({ name, status }) => `${name} ${status}`);
  const privacy =
    epsilon === undefined ? [] : [differentiallyPrivate ? `ε ${formatEpsilon(epsilon)}` : 'NOT differentially private'];
  const parts = [
    final ? `final evaluation after ${counted(round, 'round')}` : `round ${round} finished`,
    metricsText(metrics),
    `${answered}/${sites.length} sites${absent.length === 0 ? '' : ` (${absent.join(', ')})`}`,
    ...privacy,
    `${seconds.toFixed(1)} s`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

type RoundFinished = Extract<RunEvent, { kind: 'round-finished' }>;
