/**
 * Where the values behind a site's statistics come from, for the built-in kinds of data.
 *
 * @module
 */
import { resolve } from 'node:path';
import { csvFeatures } from '../executors/statistics/csv-features';
import { imageFeatures } from '../executors/statistics/image-features';
import { MODALITIES } from '../imaging/brats/modalities';
import type { CsvDataSpec } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import type { FeatureSource } from '../statistics/feature-source';
import type { SiteImages } from './job-data';

interface SiteOfJob {
  readonly site: string;
  /** What relative paths of the job start from. */
  readonly folder: string;
  readonly images: SiteImages | undefined;
  readonly warn: (message: string) => void;
}

/** `undefined` for a job without statistics. */
export function siteFeatures({ data }: JobSpec, { site, folder, images, warn }: SiteOfJob): FeatureSource | undefined {
  if (data.kind === 'csv') return csvFeatures({ ...data, file: tableOf(data, site, folder) });
  return images && 'datalist' in images ? imageFeatures({ ...images, modalities: MODALITIES, warn }) : undefined;
}

/** The table of a site. */
export function tableOf({ path }: Pick<CsvDataSpec, 'path'>, site: string, folder: string): string {
  return resolve(folder, path.replaceAll('{site}', site));
}
