import { ConfigError } from '../errors';
import { svtNvflareOptionsSchema, svtOptionsSchema } from '../jobs/filter-spec';
import type { Filter } from './filter';
import { type SvtOptions, svt } from './svt';
import { type SvtNvflareOptions, svtNvflare } from './svt-nvflare';

/** Options of each kind of filter, as a job file states them. */
interface OptionsByKind {
  readonly svt: SvtOptions;
  readonly 'svt-nvflare': SvtNvflareOptions;
}

export type FilterKind = keyof OptionsByKind;

/** A filter as plain data: its kind and, beside it, its options. */
export type FilterSpec = { [K in FilterKind]: { readonly kind: K } & OptionsByKind[K] }[FilterKind];

const factories: { readonly [K in FilterKind]: (options: OptionsByKind[K]) => Filter } = {
  svt,
  'svt-nvflare': svtNvflare,
};

/** The options of each kind, without `kind`; unknown keys are errors. */
export const filterSchemas = {
  svt: svtOptionsSchema,
  'svt-nvflare': svtNvflareOptionsSchema,
} as const satisfies Record<FilterKind, unknown>;

/** Builds a filter. @throws ConfigError for an unknown kind, an unknown option or one that is out of range. */
export function createFilter(spec: FilterSpec): Filter {
  const { kind, ...options } = spec;
  if (!Object.hasOwn(factories, kind)) {
    throw new ConfigError(`There is no filter '${kind}'; there are ${Object.keys(factories).join(', ')}.`, {
      hint: 'Correct the kind of the filter in the job.',
    });
  }
  const create = factories[kind] as (options: OptionsByKind[FilterKind]) => Filter;
  return create(options);
}
