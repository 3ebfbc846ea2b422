/**
 * The sparse vector technique on integers: which of many numbers are large, and noised copies of those. Algorithm 7 of
 * Lyu, Su and Li, "Understanding the Sparse Vector Technique for Differential Privacy", PVLDB 10(6), 2017.
 *
 * Integers in, integers out. So the proof below is about exactly what is computed, and whatever turns floats into these
 * integers before, or integers into floats after, can neither weaken it nor leak through rounding.
 *
 * With Δ = `limit`, queries |n_i| ∈ [0, Δ] and values n_i ∈ [-Δ, Δ], a call is (ε1 + ε2 + ε3)-differentially private when
 *
 *     thresholdScale ≥ Δ / ε1,   queryScale ≥ 2 c Δ / ε2,   releaseScale ≥ 2 c Δ / ε3,   c = `count`,
 *
 * for any two inputs of the same length as neighbours:
 *
 * 1. Selection. T = tau + ρ; entry i is accepted when |n_i| + ν_i ≥ T. Compare input n under threshold T with input n'
 *    under T + Δ: a refusal of n_i is a refusal of n'_i (its threshold rose by Δ, its query by at most Δ); an acceptance
 *    asks ν for at most 2Δ more, hence loses at most exp(2Δ / queryScale) ≤ exp(ε2 / c), and there are at most c of them.
 *    Shifting ρ by Δ loses exp(ε1). Refused entries may be asked again with fresh ν (each ask is one more query), so
 *    sweeping until c are found costs nothing more, and the number of sweeps is part of what is proven private.
 * 2. Release. Accepted values get fresh noise: c values of sensitivity 2Δ, exp(ε3) in all. Clipping is post-processing.
 *
 * Order. The paper's mechanism asks in an order that does not depend on the data and stops at the c-th acceptance. Take
 * a fresh uniformly random order for each sweep. Permuting millions of numbers is slow, and not needed: every decision
 * uses its own noise, so the set A that a sweep *would* accept if it ran to its end is independent of the order; the
 * sweep accepts the first min(k, |A|) of A in that order, k being still wanted; and a uniformly random order restricted
 * to A is uniform. If |A| ≤ k all of A is accepted. If |A| > k the accepted are a uniformly random k-subset of A. So
 * sweep in memory order and, in the last sweep only, keep a uniform k-subset: the same distribution of outputs, with
 * exactly c accepted. (Drawing c at the end out of the acceptances of *several* sweeps would not be the same, and costs more ε.)
 *
 * Termination. At most `maxSweeps` sweeps, a number fixed beforehand; fewer than c entries may come out then.
 *
 * @module
 */
import { type BernoulliTable, bernoulliTable, setProbability } from './bernoulli-table';
import { type DiscreteLaplace, discreteLaplace, drawDiscreteLaplace } from './discrete-laplace';
import type { RandomWords } from './random-words';

export interface SparseVectorOptions {
  /** Δ, an integer ≥ 1: no number is larger in magnitude. */
  readonly limit: number;
  /** c: how many entries come out, at most the number of entries. */
  readonly count: number;
  /** Public part of the threshold, in units of the grid. */
  readonly tau: number;
  readonly thresholdScale: number;
  readonly queryScale: number;
  /** Noise of the released values, saturated at 2 `limit` or later. */
  readonly release: DiscreteLaplace;
  readonly maxSweeps: number;
}

export interface SparseVectorResult {
  /** Released integers in [-limit, limit]; 0 where nothing is released. */
  readonly released: Int32Array;
  /** `count`, unless the sweeps ran out. */
  readonly selected: number;
  readonly sweeps: number;
}

/** Runs the mechanism on integers within ±`limit`. */
export function sparseVector(values: Int32Array, options: SparseVectorOptions, words: RandomWords): SparseVectorResult {
  const threshold = options.tau + discreteLaplace(options.thresholdScale, words);
  const decisions = decisionTable(values, threshold, options);
  const { chosen, sweeps } = select(values, decisions, options, words);
  return { released: release(values, chosen, options, words), selected: chosen.length, sweeps };
}

/** For each magnitude the probability of the rarer of the two outcomes, and which one that is: neither loses precision. */
interface Decisions extends BernoulliTable {
  /** 0: the event is "accept"; 1: the event is "refuse". */
  readonly flip: Uint8Array;
}

/** P(m + ν ≥ T) for a magnitude m: the tail of a Laplace distribution at T - m. */
function decisionTable(values: Int32Array, threshold: number, { limit, queryScale }: SparseVectorOptions): Decisions {
  const table: Decisions = { ...bernoulliTable(limit + 1), flip: new Uint8Array(limit + 1) };
  const fill = (magnitude: number): void => {
    const gap = threshold - magnitude;
    setProbability(table, magnitude, 0.5 * Math.exp(-Math.abs(gap) / queryScale));
    if (gap < 0) table.flip[magnitude] = 1;
  };
  // A few numbers do not need the whole table.
  if (values.length < limit) for (const n of values) fill(Math.abs(n));
  else for (let m = 0; m <= limit; m++) fill(m);
  return table;
}

function select(values: Int32Array, table: Decisions, { count, maxSweeps }: SparseVectorOptions, words: RandomWords) {
  const waiting = new Int32Array(values.length);
  for (let i = 0; i < waiting.length; i++) waiting[i] = i;
  const accepted = new Int32Array(values.length);
  let left = waiting.length;
  let taken = 0;
  let sweeps = 0;
  while (taken < count && sweeps < maxSweeps) {
    const before = taken;
    taken = sweep(values, table, waiting, left, accepted, taken, words);
    left -= taken - before;
    sweeps += 1;
    if (taken > count) {
      keepUniformSubset(accepted, before, taken, count - before, words);
      taken = count;
    }
  }
  return { chosen: accepted.subarray(0, taken), sweeps };
}

/**
 * Asks the first `left` entries of `waiting` once. Appends the accepted ones to `accepted` from `taken` on, moves the
 * refused ones to the front of `waiting`, and returns the new length of `accepted`. Free of branches on the data.
 */
function sweep(
  values: Int32Array,
  { high, rest, flip }: Decisions,
  waiting: Int32Array,
  left: number,
  accepted: Int32Array,
  taken: number,
  words: RandomWords,
): number {
  let a = taken;
  let kept = 0;
  for (let j = 0; j < left; j++) {
    const i = waiting[j]!;
    const magnitude = Math.abs(values[i]!);
    const word = words.next();
    let event = word < high[magnitude]! ? 1 : 0;
    if (word === high[magnitude]!) event = words.bernoulli(rest[magnitude]!) ? 1 : 0;
    const accept = event ^ flip[magnitude]!;
    accepted[a] = i;
    a += accept;
    waiting[kept] = i;
    kept += 1 - accept;
  }
  return a;
}

/** Keeps a uniformly random subset of `keep` of `list[from..to)`, moved to `from` (selection sampling, Knuth 3.4.2 S). */
function keepUniformSubset(list: Int32Array, from: number, to: number, keep: number, words: RandomWords): void {
  let wanted = keep;
  let at = from;
  for (let j = from; wanted > 0; j++) {
    if (words.below(to - j) >= wanted) continue;
    list[at++] = list[j]!;
    wanted -= 1;
  }
}

function release(values: Int32Array, chosen: Int32Array, options: SparseVectorOptions, words: RandomWords): Int32Array {
  const { limit, release: noise } = options;
  const released = new Int32Array(values.length);
  for (let j = 0; j < chosen.length; j++) {
    const i = chosen[j]!;
    const noised = values[i]! + drawDiscreteLaplace(noise, words);
    released[i] = Math.max(-limit, Math.min(noised, limit));
  }
  return released;
}
