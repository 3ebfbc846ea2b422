import { type ErrorTag, errorToData } from '../../errors';
import type { JobFault, JobReason } from '../../protocol/admin-api';

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

/** Longest message and hint that are kept of a reason, characters. */
const longestText = 4000;

/** Why a job has ended, as its state keeps it. */
export function reasonOfError(error: unknown): JobReason {
  const { tag, message, hint } = errorToData(error);
  const isDisk = error instanceof Error && 'syscall' in error;
  const code = isDisk ? 'DISK' : faults[tag];
  return {
    code,
    message: message.slice(0, longestText),
    ...(hint !== undefined && { hint: hint.slice(0, longestText) }),
  };
}
