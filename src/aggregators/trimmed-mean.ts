import { type AggregatorSpecOf, trimmedEach } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { byColumn, meanWithin, sortColumn } from './columns';
import { robust } from './robust';

/**
 * The mean of every number over the sites, without the ⌊βn⌋ smallest and the ⌊βn⌋ largest of its n values (Yin et al. 2018,
 * https://arxiv.org/abs/1803.01498, definition 2). It stays within what the honest sites sent as long as no more than ⌊βn⌋ are not.
 * Ignores the sites' steps; needs 1/β updates, so that at least one is left out at either end.
 */
export function trimmedMean(spec: AggregatorSpecOf<'trimmed-mean'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => {
    const cut = trimmedEach(spec.share, points.length);
    const values = await byColumn(points, (column) => meanWithin(sortColumn(column), cut, column.length - cut));
    return { values };
  });
}
