import { ConfigError } from '../errors';
import {
  type BuiltInFilterSpec,
  excludeVarsOptionsSchema,
  type FilterSpec,
  metricListSchemas,
  percentileOptionsSchema,
  svtNvflareOptionsSchema,
  svtOptionsSchema,
} from '../jobs/filter-spec';
import { findOwnPart, isOwn } from '../jobs/own-part';
import { excludeVars } from './exclude-vars';
import type { Filter } from './filter';
import { allowMetrics, blockMetrics } from './metric-lists';
import { percentile } from './percentile';
import { svt } from './svt';
import { svtNvflare } from './svt-nvflare';

export type FilterKind = BuiltInFilterSpec['kind'];
type OptionsOf<K extends FilterKind> = Omit<Extract<BuiltInFilterSpec, { readonly kind: K }>, 'kind'>;

const factories: { readonly [K in FilterKind]: (options: OptionsOf<K>) => Filter } = {
  svt,
  'svt-nvflare': svtNvflare,
  'exclude-vars': excludeVars,
  percentile,
  'block-metrics': blockMetrics,
  'allow-metrics': allowMetrics,
};

/** The options of each kind, without `kind`; unknown keys are errors. */
export const filterSchemas = {
  svt: svtOptionsSchema,
  'svt-nvflare': svtNvflareOptionsSchema,
  'exclude-vars': excludeVarsOptionsSchema,
  percentile: percentileOptionsSchema,
  ...metricListSchemas,
} as const satisfies Record<FilterKind, unknown>;

/** What a user registers as a filter. */
export interface FilterDefinition {
  readonly create: (options: never) => Filter;
}

/** Builds a filter. @throws ConfigError for an unknown kind, an unknown option or one that is out of range. */
export function createFilter(spec: FilterSpec): Filter {
  const { kind, ...options } = spec;
  if (isOwn(spec)) {
    const part = findOwnPart('filter', spec.kind);
    if (part) return (part.definition as FilterDefinition).create(options as never);
  }
  if (!Object.hasOwn(factories, kind)) {
    throw new ConfigError(`There is no filter '${kind}'; there are ${Object.keys(factories).join(', ')}.`, {
      hint: 'Correct the kind of the filter in the job; list a file of your own under its modules.',
    });
  }
  return factories[kind as FilterKind](options as never);
}
