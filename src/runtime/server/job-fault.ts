import { type ErrorTag, errorToData } from '../../errors';
import type { JobFault, JobReason } from '../../protocol/admin-api';
import { oneLine } from '../../util/one-line';
import { diskFault } from './disk-fault';

/** What each kind of error means for the job that it has ended. */
const faults: { readonly [T in ErrorTag]: JobFault } = {
  AbortedError: 'ABORTED',
  QuorumError: 'QUORUM',
  SiteFailedError: 'SITE',
  UpdateRejectedError: 'AGGREGATOR',
  WorkflowError: 'AGGREGATOR',
  NonFiniteError: 'AGGREGATOR',
  ShapeError: 'AGGREGATOR',
  WorkspaceError: 'DISK',
  ConfigError: 'CONFIG',
  DataError: 'DAMAGED',
  FilterBlockedError: 'FILTER',
  EngineError: 'EXECUTION',
  ConnectError: 'EXECUTION',
  ProtocolError: 'EXECUTION',
  RefusedError: 'EXECUTION',
  InternalError: 'EXECUTION',
};

/** What is to be done next about a job at a server, where that is not what the error says: it knows of runs in one process. */
const nextSteps: { readonly [F in JobFault]?: (job: string) => string } = {
  QUORUM: runAnew,
  SITE: runAnew,
  AGGREGATOR: () => 'Mend it and submit the job again.',
  DISK: () => 'Whoever runs the server makes room; the job then goes on by itself.',
};

function runAnew(job: string): string {
  return `Mend the cause; then 'consilium clone ${job}' runs the job anew.`;
}

/** Longest text that the wire carries to a site, characters. */
const longestForSites = 2000;

/** Why a job has ended, in one line with the next step: for the server's log, and for the sites. */
export function reasonLine({ message, hint }: Pick<JobReason, 'message' | 'hint'>): string {
  return oneLine(`${message}${hint === undefined ? '' : ` ${hint}`}`).slice(0, longestForSites);
}

/** Longest message and hint that are kept of a reason, characters. */
const longestText = 4000;

export function faultOf(error: unknown): JobFault {
  const isDisk = error instanceof Error && 'syscall' in error;
  return isDisk ? 'DISK' : faults[errorToData(error).tag];
}

/** Why a job has ended, as its state keeps it: whoever submitted it reads that, so it names no file of the server. */
export function reasonOfError(error: unknown, job: string): JobReason {
  const code = faultOf(error);
  const { message, hint: ofError } = (code === 'DISK' ? diskFault(error) : undefined) ?? errorToData(error);
  const hint = nextSteps[code]?.(job) ?? ofError;
  return {
    code,
    message: message.slice(0, longestText),
    ...(hint !== undefined && { hint: hint.slice(0, longestText) }),
  };
}
