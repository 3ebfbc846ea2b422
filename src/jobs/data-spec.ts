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

export const builtInData = z.discriminatedUnion('kind', [noDataSpec, brats18DataSpec, brats18PhantomSpec, csvDataSpec]);
export const dataSpec = z.union([builtInData, ownSpec('data')]);
export type DataSpec = z.output<typeof dataSpec>;
/** Data in the layout of BraTS 2018. */
export type BratsDataSpec = z.output<typeof brats18DataSpec> | z.output<typeof brats18PhantomSpec>;

export function isBratsData(data: DataSpec): data is BratsDataSpec {
  return data.kind === 'brats18' || data.kind === 'brats18-phantom';
}
