/**
 * The `percentile` filter (NVFlare: `PercentilePrivacy`, after Shokri and Shmatikov, CCS 2015): shares the largest changes of
 * an update only, and clips them. **It is not differentially private for any ε**: what leaves is exact, or clipped, and
 * nothing is random. Its cost is therefore ε = ∞, always.
 *
 * With u_i = Δw_i / steps: out_i = steps · clip(u_i, ±gamma) where |u_i| is at least the given percentile of all |u|
 * (NumPy's, with linear interpolation), and 0 elsewhere.
 *
 * Differences from the original: wrong options are errors, where it lets the update pass as it is; NaN and infinite numbers
 * are refused; scalars and integers leave as zeros, not raw, and do not count for the percentile.
 *
 * @module
 */
import type * as z from 'zod';
import { filterTraits, percentileOptionsSchema } from '../jobs/filter-spec';
import type { PrivacyCost } from '../privacy/cost';
import { allocate, type Tensor } from '../tensor/tensor';
import { parseOptions } from '../util/parse-options';
import type { Filter } from './filter';
import { type NoisableTensor, noisableTensors, withNoised } from './update-numbers';

/** `percentile` in [0, 100], default 10; `gamma` > 0, default 0.01. */
export type PercentileOptions = z.input<typeof percentileOptionsSchema>;

/** The filter described above. @throws ConfigError when an option is out of range. */
export function percentile(options: PercentileOptions): Filter {
  const parsed = parseOptions("filter 'percentile'", percentileOptionsSchema, options);
  return {
    name: 'percentile',
    accepts: filterTraits.percentile.accepts,
    async apply(payload, context) {
      if (payload.kind === 'metrics') return payload;
      const tensors = noisableTensors('percentile', payload);
      const cutoff = percentileOf(magnitudes(tensors, payload.steps), parsed.percentile);
      const shared = new Map<string, Tensor>();
      for (const one of tensors) shared.set(one.name, share(one, payload.steps, cutoff, parsed.gamma));
      await context.charge('percentile', notPrivate);
      return withNoised(payload, shared);
    },
  };
}

const notPrivate: PrivacyCost = {
  mechanism: 'percentile',
  differentiallyPrivate: false,
  epsilon: Number.POSITIVE_INFINITY,
  delta: 0,
  unit: 'not differentially private: the largest changes leave as they are, or clipped, without noise',
  details: {},
};

function share({ dtype, shape, data: raw }: NoisableTensor, steps: number, cutoff: number, gamma: number): Tensor {
  const data = allocate(dtype, raw.length);
  for (let i = 0; i < data.length; i++) {
    const value = raw[i]! / steps;
    if (Math.abs(value) >= cutoff) data[i] = Math.min(Math.max(value, -gamma), gamma) * steps;
  }
  return { dtype, shape, data };
}

function magnitudes(tensors: readonly NoisableTensor[], steps: number): Float64Array {
  const all = new Float64Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of tensors) for (let i = 0; i < data.length; i++) all[at++] = Math.abs(data[i]! / steps);
  return all;
}

/** NumPy's percentile. Sorts the values in place. */
function percentileOf(values: Float64Array, percent: number): number {
  values.sort();
  const place = (percent / 100) * (values.length - 1);
  const low = Math.floor(place);
  const [a, b] = [values[low]!, values[Math.min(low + 1, values.length - 1)]!];
  const share = place - low;
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share);
}
