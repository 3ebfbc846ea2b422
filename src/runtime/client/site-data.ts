/**
 * Where a job's data are at this site. A job's own paths mean nothing here, and must not: else whoever submits it could have any
 * file of this machine read. Data come from what the site's settings say of their kind, or from variables that the site has set.
 *
 * @module
 */
import { dirname } from 'node:path';
import type { Variables } from '../../jobs/environment-text';
import type { JobSpec } from '../../jobs/job-spec';
import type { SiteImages } from '../job-data';
import { siteImages } from '../job-data';
import type { JobFacts } from '../provision/bundle';
import type { Refusal } from './judge-job';
import type { SiteSettings } from './site-settings';

/** Fields of a job's data that name folders and files. */
const placesOf: Readonly<Record<string, readonly string[]>> = {
  brats18: ['baseDir', 'datalistDir'],
  csv: ['path'],
  slices: ['path'],
};

/** `${NAME}`, and below it nothing that leads out of it again. `{site}` is the site's own name. */
const underVariable = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}((?:[\\/][^$]*)?)$/;

export interface DataRefusal extends Refusal {
  /** What to do about it. */
  readonly hint: string;
}

/** What stands in the way of this job's data at this site, if anything does. Pure. */
export function judgeData({ data }: JobFacts, settings: SiteSettings): readonly DataRefusal[] {
  const places = placesOf[data.kind];
  if (!places || mappingOf(settings, data.kind)) return [];
  const refuse = (reason: string, hint: string): DataRefusal[] => [{ rule: 'data', reason, hint }];
  for (const place of places) {
    const text = data[place];
    const [, name, rest] = underVariable.exec(typeof text === 'string' ? text : '') ?? [];
    if (name === undefined) {
      return refuse(
        `this site has named no data of kind '${data.kind}', and does not read what a job names by a path of its own`,
        `The site's operator names them under 'data.${data.kind}' in site.yaml.`,
      );
    }
    if (!Object.hasOwn(settings.variables, name)) {
      return refuse(
        `this site has set no variable ${name}`,
        "The site's operator sets it under 'variables' in site.yaml.",
      );
    }
    if (rest?.split(/[\\/]/).includes('..')) {
      return refuse(`data.${place} leads out of the folder of its variable`, 'Name a place below that folder.');
    }
  }
  return [];
}

/** Values for the variables of a job's data; where the site names the data itself, what they are does not matter. */
export function dataVariables({ data }: JobFacts, settings: SiteSettings): Variables {
  if (!mappingOf(settings, data.kind)) return settings.variables;
  const texts = (placesOf[data.kind] ?? []).map((place) => data[place]);
  const names = texts.flatMap((text) => [...(typeof text === 'string' ? text.matchAll(/\$\{([^{}]*)\}/g) : [])]);
  return { ...Object.fromEntries(names.map(([, name]) => [name, 'named by the site'])), ...settings.variables };
}

/** The job with this site's own places of its data. */
export function withSiteData(job: JobSpec, settings: SiteSettings): JobSpec {
  const { brats18, csv, slices } = settings.data;
  const { data } = job;
  if (data.kind === 'brats18' && brats18) {
    return { ...job, data: { ...data, baseDir: brats18.baseDir, datalistDir: dirname(brats18.datalist) } };
  }
  if (data.kind === 'csv' && csv) return { ...job, data: { ...data, path: csv.path } };
  if (data.kind === 'slices' && slices) return { ...job, data: { ...data, path: slices.path } };
  return job;
}

/** The images of this site for the job. @param folder what relative paths of the job start from. */
export function imagesAt(job: JobSpec, site: string, settings: SiteSettings, folder: string): SiteImages | undefined {
  const images = siteImages(job, site, { workspace: settings.workspace, folder });
  const { brats18 } = settings.data;
  return images && job.data.kind === 'brats18' && brats18
    ? { baseDir: brats18.baseDir, datalist: brats18.datalist }
    : images;
}

function mappingOf({ data }: SiteSettings, kind: string): object | undefined {
  return kind === 'brats18' || kind === 'csv' || kind === 'slices' ? data[kind] : undefined;
}
