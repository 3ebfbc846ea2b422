import type { RunEvent } from '../../jobs/environment';
import type { QueueReason } from '../../protocol/admin-api';
import type { RunLog } from '../../tracking/run-log';
import type { Identity } from '../../transport/connection';
import type { Hub } from '../../transport/hub-types';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import type { AuditLog } from '../audit';
import type { JobStore } from './job-store';
import type { RunEvents } from './run-events';
import type { RunningJob, RunningJobOptions } from './running-job';
import type { ServerSettings } from './server-settings';
import type { SavedJob } from './stored-job';

export interface JobControlOptions extends Pick<RunningJobOptions, 'record' | 'testNoiseSeed' | 'read'> {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly store: JobStore;
  readonly audit: AuditLog;
  readonly log: RunLog;
  readonly hub: Hub;
  readonly settings: Pick<ServerSettings, 'maxJobs' | 'stallSeconds'>;
  readonly on: (event: JobEvent) => void;
}

export type JobEvent =
  | { readonly kind: 'run'; readonly job: string; readonly event: RunEvent }
  | { readonly kind: 'job'; readonly job: SavedJob };

export interface JobControl {
  /** Jobs that run now. */
  running(): readonly RunningJob[];
  runningJob(id: string): RunningJob | undefined;
  /** What happened in a job's run. */
  eventsOf(id: string): Promise<RunEvents>;
  /** Why a queued job does not run yet. */
  waitsFor(id: string): QueueReason | undefined;
  /** A new job, which is on disk, goes into the queue. A disk that takes no more only makes it wait. */
  queue(job: SavedJob): Promise<void>;
  /** Something has changed: starts what can start. */
  consider(): void;
  /** Ends a job for good; nothing when it has ended. Resolves when its state is on disk and its sites were told. */
  abort(job: SavedJob, by: Identity, reason: string): Promise<void>;
  withdraw(job: SavedJob, site: string, by: Identity, why: string): Promise<void>;
  remove(job: SavedJob, by: Identity): Promise<void>;
  /** Suspends what runs; starts nothing any more. */
  stop(): Promise<void>;
}
