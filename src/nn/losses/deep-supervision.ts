/**
 * Losses of networks with several results.
 *
 * @module
 */
import { ConfigError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { unstack } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type LossOptions, writeLossOf } from './loss';

/**
 * The sum of one loss of several predictions, each with its weight; a scalar.
 *
 * @param predictions `[N, heads, C, ...spatial]`, the best first: what a network with deep supervision gives in training
 * @param weights of the heads; when omitted 1, ½, ¼, … divided by their sum, as nnU-Net (Isensee et al. 2021) does
 * @throws ConfigError when there are not as many weights as heads; otherwise as `writeLossOf`
 */
export function deepSupervisionLoss(
  b: Builder,
  predictions: Value,
  label: Value,
  loss: LossOptions,
  weights: readonly number[] = halving(predictions.shape[1]!),
): Value {
  const heads = unstack(b, predictions);
  if (weights.length !== heads.length || !weights.every((w) => Number.isFinite(w) && w >= 0)) {
    throw new ConfigError(
      `The loss of ${heads.length} heads needs ${heads.length} weights, not negative, but got [${weights}].`,
    );
  }
  const terms = heads.map((head, i) => b.scale(writeLossOf(b, head, label, loss), weights[i]!));
  return terms.reduce((sum, term) => b.add(sum, term));
}

function halving(count: number): readonly number[] {
  const total = 2 - 2 ** (1 - count);
  return Array.from({ length: count }, (_, i) => 2 ** -i / total);
}
