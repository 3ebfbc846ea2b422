/** Names of the statistics that a user may ask for. */
export const statisticNames = [
  'count',
  'failure-count',
  'sum',
  'mean',
  'stddev',
  'min',
  'max',
  'histogram',
  'quantiles',
] as const;
export type StatisticName = (typeof statisticNames)[number];
