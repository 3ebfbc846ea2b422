/**
 * The `svt-nvflare` filter: the mechanism behind NVFlare's published BraTS numbers (its releases 2.1 to 2.7), for
 * reproducing that experiment. **It is not differentially private for any ε**: it adds noise to numbers that were not
 * clipped and clips afterwards, so a large number leaves as ±γ almost surely. Its cost is therefore ε = ∞, always.
 *
 * With c = ⌈fraction · d⌉ and u_i = Δw_i / s: T = τ + Lap(2γ/ε); whole sweeps over the numbers not yet accepted, accepting
 * where |clip(u_i, ±γ)| + Lap(4cγ/ε2) ≥ T, ε2 = ε (2c)^(2/3), until at least c are; c draws *with replacement* from the
 * accepted (so fewer than c distinct numbers leave); out_i = s · clip(u_i + Lap(2γ/noiseVar), ±γ); zero elsewhere.
 *
 * Differences from the original: at most 64 sweeps, where it could go on for ever (c draws from what was accepted then);
 * NaN and infinite numbers are refused; scalars leave as zeros, not raw; the noise comes from a cryptographic generator.
 *
 * @module
 */
import type * as z from 'zod';
import { filterTraits, svtNvflareOptionsSchema } from '../jobs/filter-spec';
import type { PrivacyCost } from '../privacy/cost';
import { RandomWords } from '../privacy/random-words';
import { allocate, type Tensor } from '../tensor/tensor';
import { parseOptions } from '../util/parse-options';
import type { Filter } from './filter';
import { type NoisableTensor, noisableTensors, withNoised } from './update-numbers';

const MAX_SWEEPS = 64;

/** As for `svt`, with the meanings above. There is no budget: nothing that this filter does fits one. */
export type SvtNvflareOptions = z.input<typeof svtNvflareOptionsSchema>;
type Parsed = z.output<typeof svtNvflareOptionsSchema>;

/** The filter described above. @throws ConfigError when an option is out of range. */
export function svtNvflare(options: SvtNvflareOptions): Filter {
  const parsed = parseOptions("filter 'svt-nvflare'", svtNvflareOptionsSchema, options);
  return {
    name: 'svt-nvflare',
    accepts: filterTraits['svt-nvflare'].accepts,
    async apply(payload, context) {
      if (payload.kind === 'metrics') return payload; // No tensors, and so nothing that this mechanism protects.
      const tensors = noisableTensors('svt-nvflare', payload);
      const values = perStep(tensors, payload.steps);
      const words = new RandomWords(context.noise);
      const { accepted, wanted, sweeps } = accept(values, parsed, words);
      const { released, selected } = release(values, accepted, wanted, parsed, words);
      words.dispose();
      await context.charge('svt-nvflare', costOf({ selected, wanted, total: values.length, sweeps }));
      return withNoised(payload, toTensors(tensors, released, payload.steps));
    },
  };
}

function costOf(details: Readonly<Record<string, number>>): PrivacyCost {
  return {
    mechanism: 'svt-nvflare',
    differentiallyPrivate: false,
    epsilon: Number.POSITIVE_INFINITY,
    delta: 0,
    unit: 'not differentially private: noise is added before clipping; metrics and the step count leave as they are',
    details,
  };
}

function perStep(tensors: readonly NoisableTensor[], steps: number): Float64Array {
  const values = new Float64Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of tensors) for (let i = 0; i < data.length; i++) values[at++] = data[i]! / steps;
  return values;
}

/** Indices of accepted numbers, and c. Accepting where a uniform lies below the tail of Lap is adding Lap and comparing. */
function accept(values: Float64Array, { fraction, epsilon, gamma, tau }: Parsed, words: RandomWords) {
  const wanted = Math.min(Math.ceil(values.length * fraction), values.length);
  const threshold = tau + laplace((2 * gamma) / epsilon, words);
  const scale = (4 * wanted * gamma) / (epsilon * (2 * wanted) ** (2 / 3));
  const waiting = new Int32Array(values.length);
  for (let i = 0; i < waiting.length; i++) waiting[i] = i;
  const accepted = new Int32Array(values.length);
  let left = waiting.length;
  let taken = 0;
  let sweeps = 0;
  for (; taken < wanted && sweeps < MAX_SWEEPS; sweeps++) {
    let kept = 0;
    for (let j = 0; j < left; j++) {
      const i = waiting[j]!;
      const gap = (threshold - Math.min(Math.abs(values[i]!), gamma)) / scale;
      const tail = 0.5 * Math.exp(-Math.abs(gap));
      if (uniform(words) < (gap < 0 ? 1 - tail : tail)) accepted[taken++] = i;
      else waiting[kept++] = i;
    }
    left = kept;
  }
  return { accepted: accepted.subarray(0, taken), wanted, sweeps };
}

/** A number drawn several times leaves once, with one noise: so do overwritten draws in the original. */
function release(
  values: Float64Array,
  accepted: Int32Array,
  wanted: number,
  { gamma, noiseVar }: Parsed,
  words: RandomWords,
) {
  const chosen = new Uint8Array(values.length);
  for (let draw = 0; draw < wanted && accepted.length > 0; draw++) chosen[accepted[words.below(accepted.length)]!] = 1;
  const released = new Float64Array(values.length);
  let selected = 0;
  for (let i = 0; i < values.length; i++) {
    if (chosen[i] === 0) continue;
    const noised = values[i]! + laplace((2 * gamma) / noiseVar, words);
    released[i] = Math.min(Math.max(noised, -gamma), gamma);
    selected += 1;
  }
  return { released, selected };
}

/** A uniform double in (0, 1), never 0. */
function uniform(words: RandomWords): number {
  return (words.next() + 0.5) / 0x1_0000_0000;
}

/** The textbook continuous Laplace, by inversion. */
function laplace(scale: number, words: RandomWords): number {
  const u = uniform(words) - 0.5;
  return u < 0 ? scale * Math.log1p(2 * u) : -scale * Math.log1p(-2 * u);
}

function toTensors(tensors: readonly NoisableTensor[], released: Float64Array, steps: number): Map<string, Tensor> {
  const noised = new Map<string, Tensor>();
  let at = 0;
  for (const { name, dtype, shape, data: raw } of tensors) {
    const data = allocate(dtype, raw.length);
    for (let i = 0; i < data.length; i++) data[i] = released[at++]! * steps;
    noised.set(name, { dtype, shape, data });
  }
  return noised;
}
