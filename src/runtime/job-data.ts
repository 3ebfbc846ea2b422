/**
 * The files behind a job's data.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import { type BratsDataSpec, isBratsData, isSliceData, isSyntheticData, type SliceDataSpec } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import type { SiteCases, SiteSlices, SiteVolumes } from './loader/loader-messages';

/** The folders of a data set. Synthetic data are kept in the workspace, one folder for each set of options. */
export function dataFolders(data: BratsDataSpec, workspace: string): { baseDir: string; datalistDir: string } {
  if (data.kind === 'brats18') return { baseDir: data.baseDir, datalistDir: data.datalistDir };
  const name = [data.kind, data.sites, data.casesPerSite, data.validationCases, data.shape.join('x'), data.seed].join(
    '-',
  );
  const folder = join(workspace, 'data', name);
  return { baseDir: folder, datalistDir: join(folder, 'datalist') };
}

/** The folder of slices of a site; `{site}` in it stands for the site's name. @param folder what relative paths start from. */
export function sliceFolder(data: SliceDataSpec, workspace: string, folder: string): string {
  return data.kind === 'slices' ? resolve(folder, data.path) : join(slicePhantomFolder(data, workspace), '{site}');
}

/** Where the synthetic slices are kept: their contrasts and how they are loaded have no part in it. */
export function slicePhantomFolder(
  { kind, sites, patientsPerSite, shape, seed }: Extract<SliceDataSpec, { readonly kind: 'multi-contrast-phantom' }>,
  workspace: string,
): string {
  return join(workspace, 'data', [kind, sites, patientsPerSite, shape.join('x'), seed].join('-'));
}

/** Volumes named in a list. */
export type SiteVolumeImages = Pick<SiteVolumes, 'datalist' | 'baseDir'>;
/** Slices in folders. */
export type SiteSliceImages = Pick<SiteSlices, 'folder' | 'centralized' | 'source' | 'target'>;
/** Where the images of a site are. */
export type SiteImages = SiteVolumeImages | SiteSliceImages;

/** Where a job's files are on this machine. */
export interface JobPlaces {
  readonly workspace: string;
  /** What relative paths of the job start from. */
  readonly folder: string;
}

/** The images of one site of a job; `undefined` for a job whose images nobody reads. */
export function siteImages(
  { data, trainer }: JobSpec,
  site: string,
  { workspace, folder }: JobPlaces,
): SiteImages | undefined {
  if (isSliceData(data)) {
    const { source, target, centralized } = data;
    const pattern = sliceFolder(data, workspace, folder);
    return { folder: centralized ? pattern : pattern.replaceAll('{site}', site), centralized, source, target };
  }
  if (!isBratsData(data) || (trainer.kind !== 'segmentation' && trainer.kind !== 'statistics')) return undefined;
  const { baseDir, datalistDir } = dataFolders(data, workspace);
  const list = data.centralized ? 'site-All.json' : `${site}.json`;
  return { baseDir, datalist: join(datalistDir, list) };
}

/** The cases of one site of a job, in its images; `undefined` for a job whose cases no loader reads. */
export function siteCases(job: JobSpec, site: string, images: SiteImages | undefined): SiteCases | undefined {
  const { data, trainer, seed } = job;
  if (!images) return undefined;
  if (isSliceData(data) && !('datalist' in images)) {
    return { kind: 'slices', site, seed, ...images, normalisation: data.normalisation, cacheRate: data.cacheRate };
  }
  if (!isBratsData(data) || trainer.kind !== 'segmentation' || !('datalist' in images)) return undefined;
  return { kind: 'volumes', site, seed, ...images, roi: trainer.roi, cacheRate: data.cacheRate };
}

/** Whether a job trains on made-up cases. */
export function isSynthetic({ data }: JobSpec): boolean {
  return isSyntheticData(data);
}
