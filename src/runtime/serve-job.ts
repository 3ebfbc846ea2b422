/**
 * What the simulator and a real server share of running a job: the sites behind the server's own filters, and rounds that are
 * recorded.
 *
 * @module
 */
import { resolve } from 'node:path';
import { filtersAt } from '../filters/placed-filter';
import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import type { Sites } from '../protocol/sites';
import type { Clock } from '../util/clock';
import type { Disk } from '../util/disk';
import type { Checkpoint, CheckpointStore } from './checkpoint';
import { filteredSites } from './filtered-sites';
import { noiseOf } from './noise';
import type { RunRecorder } from './run-record';
import { runServer } from './server-run';
import { siteLedger } from './site-ledger';
import { furtherModel } from './starting-model';

export interface ServeJobOptions {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly jobFolder: string;
  readonly hash: string;
  readonly start: Checkpoint;
  readonly store: CheckpointStore;
  readonly sites: Sites;
  readonly record: Pick<RunRecorder, 'addLine'>;
  /** @default this machine's */
  readonly clock?: Clock;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** Runs the remaining rounds, and returns the last checkpoint. */
export function serveJob(options: ServeJobOptions): Promise<Checkpoint> {
  const { job, jobFolder, hash, start, store, sites, record, clock, signal, emit } = options;
  return runServer({
    job,
    jobHash: hash,
    start,
    store,
    sites,
    onLine: (line, checkpoint) => record.addLine(line, checkpoint),
    loadModel: (file) =>
      furtherModel(job, resolve(jobFolder, file), start.model, (message) =>
        emit({ kind: 'log', level: 'warn', message }),
      ),
    emit,
    ...(clock && { clock }),
    signal,
  });
}

export interface ServerFilterOptions {
  readonly job: JobSpec;
  /** Where the server books what its filters cost. */
  readonly ledgerFolder: string;
  readonly testNoiseSeed: number | undefined;
  readonly disk?: Disk;
}

/** The sites as the workflow sees them: through the server's own filters. */
export async function withServerFilters(
  sites: Sites,
  { job, ledgerFolder, testNoiseSeed, disk }: ServerFilterOptions,
): Promise<Sites> {
  return filteredSites(sites, {
    outgoing: filtersAt(job.filters, 'server-out'),
    incoming: filtersAt(job.filters, 'server-in'),
    noise: noiseOf(testNoiseSeed, 'server'),
    ledger: await siteLedger(ledgerFolder, 'server', disk),
  });
}
