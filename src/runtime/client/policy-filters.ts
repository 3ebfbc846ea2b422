/**
 * The filters of a policy, which stand behind all filters of a job: what leaves the site has passed them last.
 *
 * @module
 */
import { FilterBlockedError } from '../../errors';
import { applyFilters, type Filter } from '../../filters/filter';
import { allowMetrics } from '../../filters/metric-lists';
import { createFilter } from '../../filters/registry';
import { type PayloadKind, payloadKinds } from '../../jobs/filter-spec';
import type { Policy, SiteFilter } from './policy';

/** In order: which payloads may leave at all, the policy's filters, which metrics may leave. @throws ConfigError */
export function policyFilters({ payloads, filters, metrics }: Policy): readonly Filter[] {
  return [
    onlyPayloads(payloads ?? payloadKinds),
    ...filters.map(siteFilter),
    ...(metrics === undefined ? [] : [allowMetrics({ metrics })]),
  ];
}

/** Whether a policy changes anything of what leaves: its names, for logs. */
export function policyFilterNames({ payloads, filters, metrics }: Policy): readonly string[] {
  return [
    ...(payloads === undefined ? [] : ['payloads']),
    ...filters.map(({ filter }) => filter.kind),
    ...(metrics === undefined ? [] : ['allow-metrics']),
  ];
}

/** Which of the payloads that a job sends no filter of the policy lets through, by rule. */
export function blockedPayloads(
  { payloads, filters }: Policy,
  sends: readonly PayloadKind[],
): readonly { readonly rule: string; readonly kinds: readonly PayloadKind[] }[] {
  const byFilter = filters.map((one, i) => {
    const { accepts } = createFilter(one.filter);
    const passing = sends.filter((kind) => one.payloads?.includes(kind) ?? true);
    return { rule: `filters.${i}`, kinds: passing.filter((kind) => !accepts.includes(kind)) };
  });
  const unlisted = { rule: 'payloads', kinds: payloads ? sends.filter((kind) => !payloads.includes(kind)) : [] };
  return [unlisted, ...byFilter].filter(({ kinds }) => kinds.length > 0);
}

/** A job's code may call anything a payload of metrics; what mechanisms on tensors pass on untouched holds no tensors. */
function onlyPayloads(allowed: readonly PayloadKind[]): Filter {
  return {
    name: 'policy payloads',
    accepts: allowed,
    apply(payload) {
      if (payload.kind !== 'metrics' || payload.tensors.size === 0) return payload;
      throw new FilterBlockedError('A payload of metrics came with tensors. Nothing was sent.');
    },
  };
}

function siteFilter({ filter: spec, payloads }: SiteFilter): Filter {
  const filter = createFilter(spec);
  if (!payloads) return filter;
  return {
    name: filter.name,
    accepts: payloadKinds,
    apply: (payload, context) => (payloads.includes(payload.kind) ? applyFilters([filter], payload, context) : payload),
  };
}
