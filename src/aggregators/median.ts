import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { byColumn, medianOfSorted, sortColumn } from './columns';
import { robust } from './robust';

/**
 * The median of every number over the sites (Yin et al. 2018, https://arxiv.org/abs/1803.01498, definition 1). It stays within what
 * the honest sites sent as long as they are more than half. Ignores the sites' steps; needs 3 updates, as a median of fewer is a mean.
 */
export function median(spec: AggregatorSpecOf<'median'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => ({
    values: await byColumn(points, (column) => medianOfSorted(sortColumn(column))),
  }));
}
