import type { JobReason, QueueReason } from './admin-api';

/** Why a job has ended, or was paused. */
export function reasonText({ code, message, hint }: JobReason): string {
  return `${code}: ${message}${hint === undefined ? '' : `\n  → ${hint}`}`;
}

/** Why a job does not run yet. */
export function queueText(reason: QueueReason): string {
  switch (reason.code) {
    case 'server-full':
      return `the server runs ${reason.running} of at most ${reason.maxJobs} jobs`;
    case 'behind':
      return `${reason.job} was submitted earlier and waits for the same sites`;
    case 'sites-missing':
      return `${reason.connected} of its sites are connected and ${reason.needed} are needed; missing: ${reason.missing.join(', ')}`;
    case 'site-busy':
      return `${reason.site} has no ${resources[reason.what]} free`;
    case 'site-too-small':
      return `the job needs ${reason.needs} ${resources[reason.what]} at ${reason.site}, which has ${reason.has}`;
    case 'paused':
      return `paused, tried again every ${reason.retrySeconds} s: ${reason.reason.code}: ${reason.reason.message}`;
    case 'stopping':
      return 'the server is stopping';
  }
}

const resources = { slots: 'slots', memoryMb: 'MB of memory', gpus: 'GPUs' } as const;
