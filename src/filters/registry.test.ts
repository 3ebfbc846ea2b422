import { describe, expect, it } from 'vitest';
import { isConsiliumError } from '../errors';
import type { BuiltInFilterSpec, FilterSpec } from '../jobs/filter-spec';
import { createFilter, type FilterKind, filterSchemas } from './registry';

const options = { fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 };

function refusal(spec: Readonly<Record<string, unknown>>): string {
  try {
    createFilter(spec as unknown as FilterSpec);
  } catch (error) {
    if (isConsiliumError(error, 'ConfigError')) return error.message;
    throw error;
  }
  throw new Error('the filter was built');
}

describe('createFilter', () => {
  it('builds every kind that it has a schema for', () => {
    const specs: { readonly [K in FilterKind]: Omit<Extract<BuiltInFilterSpec, { kind: K }>, 'kind'> } = {
      svt: { ...options, tau: 1e-6 },
      'svt-nvflare': { ...options, tau: 1e-6 },
      'exclude-vars': { names: ['head.*'] },
      percentile: { percentile: 10, gamma: 0.01 },
      'block-metrics': { metrics: ['train_*'] },
      'allow-metrics': { metrics: [] },
    };
    expect(Object.keys(specs)).toEqual(Object.keys(filterSchemas));
    for (const [kind, spec] of Object.entries(specs)) {
      expect(createFilter({ kind, ...spec } as BuiltInFilterSpec).name).toBe(kind);
    }
    expect(createFilter({ kind: 'svt', ...options, tau: 0, budget: 10 }).name).toBe('svt');
  });

  it.each([
    ['fraction', 0, '--dp_fraction'],
    ['fraction', 1.1, '--dp_fraction'],
    ['fraction', Number.NaN, '--dp_fraction'],
    ['fraction', '0.9', '--dp_fraction'],
    ['epsilon', 0, '--dp_epsilon'],
    ['epsilon', -1, '--dp_epsilon'],
    ['epsilon', Number.POSITIVE_INFINITY, '--dp_epsilon'],
    ['noiseVar', 0, '--dp_noise_var'],
    ['noiseVar', null, '--dp_noise_var'],
    ['gamma', 0, '--dp_gamma'],
    ['gamma', -1e-4, '--dp_gamma'],
    ['gamma', undefined, '--dp_gamma'],
    ['tau', -1, 'tau'],
    ['budget', 0, 'budget'],
  ])('refuses %s = %s and names the flag', (key, value, flag) => {
    const message = refusal({ kind: 'svt', ...options, [key]: value });
    expect(message).toContain(`${flag}`);
    expect(message).toContain(value === undefined ? 'not given' : String(value));
  });

  it('names every option that is wrong at once', () => {
    const message = refusal({ kind: 'svt', ...options, fraction: 2, gamma: 0 });
    expect(message).toContain('--dp_fraction');
    expect(message).toContain('--dp_gamma');
  });

  it('refuses unknown options and unknown kinds by name', () => {
    expect(refusal({ kind: 'svt', ...options, epsilom: 3 })).toContain('epsilom');
    expect(refusal({ kind: 'svt-nvflare', ...options, budget: 3 })).toContain('budget');
    expect(refusal({ kind: 'gauss', ...options })).toContain("no filter 'gauss'; there are svt, svt-nvflare");
    expect(refusal({ kind: 'constructor', ...options })).toContain("no filter 'constructor'");
  });
});
