import { FedAvgRecipe } from '../../src';
import { normClip } from '../custom-filter/norm-clip';
import { fitCsv } from '../per-site-config/fit-csv';

export interface HouseRecipeOptions {
  /** The CSV file of each site, by its name. */
  readonly files: Readonly<Record<string, string>>;
  /** @default 5 */
  readonly rounds?: number;
}

/** How our house does it: line fits of CSV files, every update clipped, and one site may be missing. */
export function houseRecipe({ files, rounds = 5 }: HouseRecipeOptions): FedAvgRecipe {
  const sites = Object.keys(files);
  const recipe = new FedAvgRecipe({
    name: 'house',
    sites,
    rounds,
    minSites: Math.max(1, sites.length - 1),
    model: { kind: 'tensors', tensors: { line: [2] } },
    trainer: fitCsv({ epochs: 20 }),
    siteConfig: Object.fromEntries(sites.map((site) => [site, { file: files[site]! }])),
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  return recipe.addFilter({ at: 'site-out', tasks: ['train'] }, normClip({ maxNorm: 1 }));
}
