import type { Json } from '../util/json';

/** What training code of the user's own is told about the site it runs for. */
export interface TrainingSite<C = Json> {
  /** Name of the job. */
  readonly job: string;
  /** Name of the site. */
  readonly site: string;
  /** What relative paths of the job start from. */
  readonly folder: string;
  /** The job's configuration for this site; null when it gives none. */
  readonly config: C;
  /** The job's seed. */
  readonly seed: number;
  /** Writes a line into the site's log. */
  log(message: string): void;
}
