/**
 * The files behind a job's data.
 *
 * @module
 */
import { join } from 'node:path';
import { type BratsDataSpec, isBratsData } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteCases } from './loader/loader-messages';

/** The folders of a data set. Synthetic data are kept in the workspace, one folder for each set of options. */
export function dataFolders(data: BratsDataSpec, workspace: string): { baseDir: string; datalistDir: string } {
  if (data.kind === 'brats18') return { baseDir: data.baseDir, datalistDir: data.datalistDir };
  const name = [data.kind, data.sites, data.casesPerSite, data.validationCases, data.shape.join('x'), data.seed].join(
    '-',
  );
  const folder = join(workspace, 'data', name);
  return { baseDir: folder, datalistDir: join(folder, 'datalist') };
}

/** Where the images of a site are. */
export type SiteImages = Pick<SiteCases, 'datalist' | 'baseDir'>;

/** The images of one site of a job; `undefined` for a job whose images nobody reads. */
export function siteImages({ data, trainer }: JobSpec, site: string, workspace: string): SiteImages | undefined {
  if (!isBratsData(data) || (trainer.kind !== 'segmentation' && trainer.kind !== 'statistics')) return undefined;
  const { baseDir, datalistDir } = dataFolders(data, workspace);
  const list = data.centralized ? 'site-All.json' : `${site}.json`;
  return { baseDir, datalist: join(datalistDir, list) };
}

/** The cases of one site of a job, in its images; `undefined` for a job whose cases no loader reads. */
export function siteCases(job: JobSpec, site: string, images: SiteImages | undefined): SiteCases | undefined {
  const { data, trainer, seed } = job;
  if (!images || !isBratsData(data) || trainer.kind !== 'segmentation') return undefined;
  return { site, seed, ...images, roi: trainer.roi, cacheRate: data.cacheRate };
}

/** Whether a job trains on made-up cases. */
export function isSynthetic({ data }: JobSpec): boolean {
  return data.kind === 'brats18-phantom';
}
