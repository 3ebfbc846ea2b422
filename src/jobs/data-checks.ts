/**
 * What a job's data have to say about its sites and its trainer.
 *
 * @module
 */
import { isSliceData, phantomSiteHas } from './data-spec';
import type { CheckedJob, Report } from './job-checks';
import { isOwn } from './own-part';

/** The synthetic data set has lists for sites of its own names. */
export function checkPhantomSites({ sites, data }: CheckedJob, report: Report): void {
  if (isOwn(data) || (data.kind !== 'brats18-phantom' && data.kind !== 'multi-contrast-phantom')) return;
  if (data.centralized) return;
  const numbers = sites.map((site) => Number(/^site-([1-9]\d*)$/.exec(site)?.[1] ?? Number.NaN));
  const other = sites[numbers.findIndex((number) => !(number <= data.sites))];
  if (other !== undefined) {
    report(
      ['data', 'sites'],
      `the synthetic data have lists for site-1 to site-${data.sites}, but none for '${other}'`,
    );
  } else if (data.kind === 'multi-contrast-phantom') {
    const lacking = sites[numbers.findIndex((number) => !phantomSiteHas(number - 1, data))];
    if (lacking !== undefined) report(['sites'], `'${lacking}' of the synthetic data has no FLAIR; leave it out`);
  }
}

/** A translation is between two contrasts, by a trainer that takes slices. */
export function checkSlices({ data, trainer }: Pick<CheckedJob, 'data' | 'trainer'>, report: Report): void {
  if (isOwn(data) || !isSliceData(data)) return;
  if (data.source === data.target) report(['data', 'target'], `source and target are both '${data.source}'`);
  if (data.kind === 'slices' && data.centralized && !hasSiteFolder(data.path)) {
    report(
      ['data', 'path'],
      'the centralised baseline takes the folders of all sites: one folder in it has to be {site}',
    );
  }
  if (isOwn(trainer)) return;
  if (trainer.kind === 'segmentation' || trainer.kind === 'statistics') {
    report(['data', 'kind'], `the trainer '${trainer.kind}' does not take slices`);
  }
}

/** Whether `{site}` stands in the path once, as a whole folder. */
function hasSiteFolder(path: string): boolean {
  return path.split('{site}').length === 2 && path.split(/[\\/]/).includes('{site}');
}
