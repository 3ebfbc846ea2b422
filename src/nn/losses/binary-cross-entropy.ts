/**
 * Cross entropy of independent yes-or-no questions, one a channel, with the options of PyTorch's.
 *
 * @module
 */
import { ConfigError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { clip, log, softplus } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import type { LossSettingsOf } from '../../jobs/loss-spec';
import { channelFactors, reduceAll, requireSameShape } from './labels';

/** Logarithms of probabilities are not let below this. */
const LOWEST_LOG = -100;

/**
 * Of logits x: (1 − y)·x + (1 + (w − 1)·y)·softplus(−x), w being `posWeight`; of probabilities p:
 * −(y·ln p + (1 − y)·ln(1 − p)).
 *
 * @param label of the prediction's shape, in [0, 1]
 * @throws ShapeError when the label does not fit; ConfigError when weights do not fit, or come with probabilities
 */
export function binaryCrossEntropyLoss(
  b: Builder,
  prediction: Value,
  label: Value,
  { logits, posWeight, reduction }: LossSettingsOf<'binary-cross-entropy'>,
): Value {
  requireSameShape('binary cross-entropy', prediction, label);
  const one = b.scalar(1);
  const negative = b.sub(one, label);
  if (logits) {
    const low = softplus(b, b.neg(prediction));
    const losses = b.add(
      b.mul(negative, prediction),
      posWeight === undefined ? low : b.mul(factors(b, label, posWeight), low),
    );
    return reduceAll(b, losses, reduction);
  }
  if (posWeight !== undefined) throw new ConfigError('posWeight needs predictions that are logits.');
  const bounded = (x: Value): Value => clip(b, log(b, x), { min: LOWEST_LOG });
  const likelihood = b.add(b.mul(label, bounded(prediction)), b.mul(negative, bounded(b.sub(one, prediction))));
  return reduceAll(b, b.neg(likelihood), reduction);
}

/** 1 + (w − 1)·y: w where the answer is yes. */
function factors(b: Builder, label: Value, posWeight: number | readonly number[]): Value {
  const w = channelFactors(b, 'binary cross-entropy', posWeight, label);
  return b.add(b.scalar(1), b.mul(b.sub(w, b.scalar(1)), label));
}
