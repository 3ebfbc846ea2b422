/**
 * Data sets as data: where the cases of the sites are.
 *
 * @module
 */
import { z } from 'zod';
import { environmentText } from './environment-text';
import { ownSpec } from './own-part';

const count = z.int().positive();

const noDataSpec = z
  .strictObject({ kind: z.literal('none') })
  .describe('None: the trainer needs none, or has its own.');

const brats18DataSpec = z
  .strictObject({
    kind: z.literal('brats18'),
    baseDir: environmentText(z.string().min(1).describe('Folder that the paths of the data lists start from.')),
    datalistDir: environmentText(z.string().min(1).describe('Folder of the data lists.')),
    centralized: z.boolean().default(false).describe('The one site trains on site-All.json: the centralised baseline.'),
    cacheRate: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'Share of the training and validation cases that a site keeps in memory after the deterministic transforms, [0, 1].',
      ),
  })
  .describe('BraTS18-like cases on disk: NIfTI files and Decathlon data lists named <site>.json.');

/** Voxels along an axis of a phantom. */
const extent = z.int().min(32).max(512);

const brats18PhantomSpec = z
  .strictObject({
    kind: z.literal('brats18-phantom'),
    sites: count
      .default(4)
      .describe('Sites that get a data list of their own; site-All.json has the cases of all of them.'),
    casesPerSite: count.default(6),
    validationCases: count.default(4),
    shape: z.tuple([extent, extent, extent]).default([64, 64, 48]),
    seed: z.int().nonnegative().default(0),
    centralized: z.boolean().default(false),
    cacheRate: z.number().min(0).max(1).default(1),
  })
  .describe('A seeded synthetic data set in the same layout, written into the workspace before the run.');

const csvDataSpec = z
  .strictObject({
    kind: z.literal('csv'),
    path: environmentText(
      z.string().min(1).describe("The table of a site, UTF-8, with a header row; {site} stands for the site's name."),
    ),
    columns: z
      .array(z.string().min(1))
      .nonempty()
      .describe('Columns of numbers that are features. No other column is looked at.'),
    delimiter: z.string().length(1).default(',').describe('Between two fields: one character.'),
    decimal: z.enum(['.', ',']).default('.').describe('The decimal mark of the numbers.'),
    missing: z
      .array(z.string())
      .default(['', 'NA', 'N/A', 'NaN', 'nan', 'null'])
      .describe('Texts that stand for a missing value.'),
  })
  .describe('Tables on disk, one a site; a row is a case.');
export type CsvDataSpec = z.output<typeof csvDataSpec>;

const contrast = z.enum(['t1', 't2', 'flair']);

/** What the data of a translation have in common. */
const translationFields = {
  source: contrast.default('t1').describe('The contrast that is translated.'),
  target: contrast.default('t2').describe('The contrast that it is translated into.'),
  normalisation: z
    .enum(['slice-max', 'volume-max', 'percentile', 'z-score', 'none'])
    .default('slice-max')
    .describe(
      "What intensities are divided by: the slice's largest, the patient's largest, the patient's 99.5th percentile above 0 (cut off at 1), or, less the mean, their deviation. Source and target each by itself.",
    ),
};

const cacheRate = z
  .number()
  .min(0)
  .max(1)
  .describe('Share of the slices that a site keeps in memory, normalised, [0, 1].');

const slicesSpec = z
  .strictObject({
    kind: z.literal('slices'),
    path: environmentText(
      z
        .string()
        .min(1)
        .describe(
          "Folder of a site's slices; {site} stands for the site's name. In it: {train,validation,test}/{t1,t2,flair,mask}/patient-<id>-slice<n>.npy.",
        ),
    ),
    ...translationFields,
    centralized: z
      .boolean()
      .default(false)
      .describe(
        'The one site trains on all folders that {site} may stand for, one after the other: the centralised baseline.',
      ),
    cacheRate: cacheRate.default(0),
  })
  .describe('Slices of heads in several contrasts on disk, as .npy files, for translation.');

/** Pixels along an axis of a slice of the phantom. */
const sliceExtent = z.int().min(32).max(512);

const multiContrastPhantomSpec = z
  .strictObject({
    kind: z.literal('multi-contrast-phantom'),
    sites: count
      .default(4)
      .describe('Sites with a scanner each. Of six the last two have no FLAIR, then the scanners recur.'),
    patientsPerSite: z.int().min(3).default(10).describe('75 % train, 10 % validation, the rest test.'),
    shape: z
      .tuple([sliceExtent, sliceExtent, z.int().min(8).max(512)])
      .default([64, 64, 24])
      .describe('Voxels of a head; the last axis runs along the body. Slices that are mostly dark are left out.'),
    seed: z.int().nonnegative().default(0),
    ...translationFields,
    centralized: z
      .boolean()
      .default(false)
      .describe('The one site trains on what all sites with both contrasts have: the centralised baseline.'),
    cacheRate: cacheRate.default(1),
  })
  .describe(
    'SYNTHETIC heads in several contrasts with a scanner for each site, in the same layout, written into the workspace before the run.',
  );

export const builtInData = z.discriminatedUnion('kind', [
  noDataSpec,
  brats18DataSpec,
  brats18PhantomSpec,
  csvDataSpec,
  slicesSpec,
  multiContrastPhantomSpec,
]);
export const dataSpec = z.union([builtInData, ownSpec('data')]);
export type DataSpec = z.output<typeof dataSpec>;
/** Data in the layout of BraTS 2018. */
export type BratsDataSpec = z.output<typeof brats18DataSpec> | z.output<typeof brats18PhantomSpec>;

export function isBratsData(data: DataSpec): data is BratsDataSpec {
  return data.kind === 'brats18' || data.kind === 'brats18-phantom';
}

export type SlicesDataSpec = z.output<typeof slicesSpec>;
export type MultiContrastPhantomSpec = z.output<typeof multiContrastPhantomSpec>;
/** Data in slices of several contrasts. */
export type SliceDataSpec = SlicesDataSpec | MultiContrastPhantomSpec;

export function isSliceData(data: DataSpec): data is SliceDataSpec {
  return data.kind === 'slices' || data.kind === 'multi-contrast-phantom';
}

/** Whether the job's data are made up by this library. */
export function isSyntheticData({ kind }: DataSpec): boolean {
  return kind === 'brats18-phantom' || kind === 'multi-contrast-phantom';
}

/** Sites of the multi-contrast phantom until the scanners recur, and how many of them, the first, take FLAIR. */
export const phantomScanners = { count: 6, withFlair: 4 } as const;

/** Whether a site of the multi-contrast phantom, from 0, has what the job translates. */
export function phantomSiteHas(site: number, { source, target }: Pick<SliceDataSpec, 'source' | 'target'>): boolean {
  const takesFlair = site % phantomScanners.count < phantomScanners.withFlair;
  return takesFlair || (source !== 'flair' && target !== 'flair');
}
