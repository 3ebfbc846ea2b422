/**
 * The `svt` filter: shares a fraction of an update's numbers, chosen by the sparse vector technique, clipped and noised.
 *
 * What one call does, with c = ⌈fraction · d⌉ of the update's d numbers, Δw the update and s its step count:
 *
 *     w_i     = clip(Δw_i / s, -γ, γ), rounded to a grid g, a power of two
 *     chosen  = c entries, by sparse vector on |w_i| against τ + Lap(γ/ε1), query noise Lap(2cγ/ε2)
 *     out_i   = s · clip(w_i + fresh Lap(2cγ/ε3), -γ, γ)   for the chosen, 0 for the others
 *
 * What the options mean. `epsilon` is the budget of the *selection*, ε1 + ε2 = epsilon, split 1 : (2c)^(2/3). `noiseVar`
 * is, in spite of its historical name, the privacy loss of *each released number*: the noise scale is 2γ / noiseVar, so
 * ε3 = c · noiseVar. That is the meaning under which the published flags have the noise they always had; a call costs
 * ε1 + ε2 + ε3, which for millions of numbers is millions. The cost says so; no flag of this filter should be read as "ε".
 *
 * What is guaranteed: the tensors of one message of one site, any two updates being neighbours (local, site-level, pure
 * DP, δ = 0), in the integer arithmetic of `privacy/sparse-vector.ts`. Outside the guarantee: metrics, the step count and
 * the names and shapes of tensors. Scalars and integer tensors are dropped (sent as zeros).
 *
 * @module
 */
import type * as z from 'zod';
import { FilterBlockedError, withSummary } from '../errors';
import { filterTraits, svtOptionsSchema } from '../jobs/filter-spec';
import type { PrivacyCost } from '../privacy/cost';
import { type DiscreteLaplace, discreteLaplaceTables } from '../privacy/discrete-laplace';
import { RandomWords } from '../privacy/random-words';
import { type SparseVectorOptions, sparseVector } from '../privacy/sparse-vector';
import { splitSelectionBudget } from '../privacy/svt-split';
import type { Tensor } from '../tensor/tensor';
import { allocate } from '../tensor/tensor';
import { parseOptions } from '../util/parse-options';
import type { Filter, FilterContext } from './filter';
import { type NoisableTensor, noisableTensors, withNoised } from './update-numbers';

/** Sweeps over the not yet chosen numbers before the filter sends what it has. Never depends on the data. */
const MAX_SWEEPS = 64;

/**
 * - `fraction` of the numbers to share, in (0, 1].
 * - `epsilon` > 0, of the selection alone.
 * - `noiseVar` > 0, ε of each shared number.
 * - `gamma` > 0, the clipping bound of an update's number divided by its steps.
 * - `tau` ≥ 0, the public threshold, default 1e-6.
 * - `budget`: total ε that this filter may spend at a site over all rounds; a call beyond it is blocked. Default: none.
 */
export type SvtOptions = z.input<typeof svtOptionsSchema>;
type Parsed = z.output<typeof svtOptionsSchema>;

/** The filter described above. @throws ConfigError when an option is out of range. */
export function svt(options: SvtOptions): Filter {
  const parsed = parseOptions("filter 'svt'", svtOptionsSchema, options);
  const grid = chooseGrid(parsed);
  return {
    name: 'svt',
    accepts: filterTraits.svt.accepts,
    async apply(payload, context) {
      if (payload.kind === 'metrics') return payload; // No tensors, and so nothing that this mechanism protects.
      const tensors = noisableTensors('svt', payload);
      const total = tensors.reduce((sum, tensor) => sum + tensor.data.length, 0);
      const plan = planCall(parsed, grid, total, context.noise.cryptographic);
      refuseBeyondBudget(parsed, plan.cost, context);
      const words = new RandomWords(context.noise);
      const { released, selected, sweeps } = sparseVector(
        toGrid(tensors, total, grid, payload.steps),
        plan.mechanism,
        words,
      );
      words.dispose();
      await context.charge('svt', { ...plan.cost, details: { ...plan.cost.details, selected, sweeps } });
      return withNoised(payload, fromGrid(tensors, released, grid.step * payload.steps));
    },
  };
}

interface Grid {
  /** g: clipped numbers are g × an integer. */
  readonly step: number;
  /** The largest integer, ⌊γ/g⌋, from 2^10 to 2^17. */
  readonly limit: number;
  readonly noise: DiscreteLaplace;
}

/**
 * The largest power of two that is at most 1/1024 of both γ and the noise scale, but not below γ / 2^17. With up to 2^24
 * grid steps times update steps, float32 holds the released numbers exactly.
 */
function chooseGrid({ gamma, noiseVar }: Parsed): Grid {
  const scale = (2 * gamma) / noiseVar;
  const exponent = Math.max(Math.floor(Math.log2(Math.min(gamma, scale))) - 10, Math.floor(Math.log2(gamma)) - 16);
  const step = 2 ** exponent;
  const limit = Math.floor(gamma / step);
  return { step, limit, noise: discreteLaplaceTables(scale / step, 2 * limit) };
}

/** Scales of the noise and the price of the call: functions of the options and of d alone, known before any number is read. */
function planCall(options: Parsed, grid: Grid, total: number, cryptographic: boolean) {
  const count = Math.min(Math.ceil(total * options.fraction), total);
  const budget = splitSelectionBudget(options.epsilon, count);
  const gammaSteps = options.gamma / grid.step;
  const mechanism: SparseVectorOptions = {
    limit: grid.limit,
    count,
    tau: options.tau / grid.step,
    thresholdScale: gammaSteps / budget.threshold,
    queryScale: (2 * count * gammaSteps) / budget.query,
    release: grid.noise,
    maxSweeps: MAX_SWEEPS,
  };
  const epsilonRelease = count * options.noiseVar;
  const nominal = options.epsilon + epsilonRelease;
  const epsilonRounding = roundingCost(nominal, total);
  const details = {
    epsilonThreshold: budget.threshold,
    epsilonQuery: budget.query,
    epsilonRelease,
    epsilonRounding,
    total,
  };
  const cost: PrivacyCost = cryptographic
    ? { ...common, differentiallyPrivate: true, epsilon: nominal + epsilonRounding, unit, details }
    : { ...common, differentiallyPrivate: false, epsilon: Number.POSITIVE_INFINITY, unit: notPrivate, details };
  return { mechanism, cost };
}

const common = { mechanism: 'svt', delta: 0 } as const;
const outside = 'metrics and the step count are outside the guarantee';
const unit = `all tensors of one update of one site, any two updates being neighbours; ${outside}`;
const notPrivate = `NOT PRIVATE: the noise came from a seed, for tests only; ${outside}`;

/**
 * What computing probabilities in double precision can add to ε: each decision and each draw is off by a relative error
 * below 2^-47, and there are at most one decision per number and sweep; the single threshold draw is off by less than 2^-37.
 */
function roundingCost(nominal: number, total: number): number {
  return 2 ** -36 + 2 ** -46 * (MAX_SWEEPS * total + nominal);
}

function refuseBeyondBudget({ budget }: Parsed, cost: PrivacyCost, context: FilterContext): void {
  if (budget === undefined) return;
  const spent = context.spent('svt');
  if (spent + cost.epsilon <= budget) return;
  const blocked = new FilterBlockedError(
    `Filter 'svt' at ${context.site}: this call would cost ε = ${cost.epsilon}, ${spent} is spent and the budget is ${budget}. Nothing was sent.`,
    { hint: 'The site has no privacy budget left for this job. Stop here, or raise the budget knowingly.' },
  );
  throw withSummary(blocked, 'its privacy budget is spent');
}

/** Every number divided by the steps, clipped and rounded to the grid, as integers within ±limit. */
function toGrid(tensors: readonly NoisableTensor[], total: number, { step, limit }: Grid, steps: number): Int32Array {
  const values = new Int32Array(total);
  const toUnits = 1 / (step * steps);
  let at = 0;
  for (const { data } of tensors) {
    for (let i = 0; i < data.length; i++) {
      const x = data[i]! * toUnits;
      const clipped = Math.max(-limit, Math.min(x, limit));
      // Rounds to nearest: the sum is positive, so truncating it is flooring it.
      values[at++] = ((clipped + limit + 0.5) | 0) - limit;
    }
  }
  return values;
}

function fromGrid(tensors: readonly NoisableTensor[], released: Int32Array, factor: number): Map<string, Tensor> {
  const noised = new Map<string, Tensor>();
  let at = 0;
  for (const { name, dtype, shape, data: raw } of tensors) {
    const data = allocate(dtype, raw.length);
    for (let i = 0; i < data.length; i++) data[i] = released[at++]! * factor;
    noised.set(name, { dtype, shape, data });
  }
  return noised;
}
