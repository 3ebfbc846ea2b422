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

/** p(1 − p), the divisor of the derivative by p, is not let below this: it is 0 where a sigmoid saturates. PyTorch's. */
const LEAST_DIVISOR = 1e-12;

/**
 * Of logits x: (1 − y)·x + (1 + (w − 1)·y)·softplus(−x), w being `posWeight`; of probabilities p:
 * −(y·ln p + (1 − y)·ln(1 − p)), each logarithm kept above −100 and the derivative (p − y) / max(p(1 − p), 1e-12), as in
 * PyTorch: both are finite for all p in [0, 1].
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
  return reduceAll(b, ofProbabilities(b, prediction, label), reduction);
}

/** The loss of each element. Its derivative by p is written down: that of the logarithms would be 0/0 at p = 0 and 1. */
function ofProbabilities(b: Builder, prediction: Value, label: Value): Value {
  const one = b.scalar(1);
  const p = b.detach(prediction);
  const not = b.sub(one, p);
  const bounded = (x: Value): Value => clip(b, log(b, x), { min: LOWEST_LOG });
  const likelihood = b.add(b.mul(label, bounded(p)), b.mul(b.sub(one, label), bounded(not)));
  const slope = b.div(b.sub(p, label), clip(b, b.mul(p, not), { min: LEAST_DIVISOR }));
  // Adds 0 to the loss, and its slope to the derivative.
  const carrier = b.mul(b.sub(prediction, p), b.detach(slope));
  return b.sub(carrier, likelihood);
}

/** 1 + (w − 1)·y: w where the answer is yes. */
function factors(b: Builder, label: Value, posWeight: number | readonly number[]): Value {
  const w = channelFactors(b, 'binary cross-entropy', posWeight, label);
  return b.add(b.scalar(1), b.mul(b.sub(w, b.scalar(1)), label));
}
