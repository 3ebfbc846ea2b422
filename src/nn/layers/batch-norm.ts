/**
 * Batch normalisation with running statistics (Ioffe & Szegedy 2015, arXiv:1502.03167), as PyTorch keeps them.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { sameShape, sizeOf } from '../../tensor/tensor';

/** Values `[C]` of the layer. */
export interface BatchNormState {
  /** Scale and shift; 1 and 0 when omitted. */
  readonly weight?: Value;
  readonly bias?: Value;
  readonly runningMean: Value;
  readonly runningVar: Value;
}

export interface BatchNormOptions {
  /** Whether the batch's own statistics normalise it, and move the running ones. */
  readonly training: boolean;
  /** Weight of the batch in the running statistics, [0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number;
}

export interface BatchNormResult {
  readonly y: Value;
  /** The running statistics after this batch; in evaluation those that came. */
  readonly nextMean: Value;
  readonly nextVar: Value;
}

/**
 * x `[N, C, ...]`. In training y is normalised by the batch's mean and biased variance, while the running variance takes
 * the unbiased one: next = (1 − momentum)·running + momentum·batch.
 *
 * @throws ShapeError when a tensor of the state is not `[C]`; in training when a channel has one number only, which has no
 * variance
 */
export function batchNorm(b: Builder, x: Value, state: BatchNormState, options: BatchNormOptions): BatchNormResult {
  const { training, momentum = 0.1, epsilon = 1e-5 } = options;
  const { runningMean, runningVar } = state;
  for (const [name, value] of Object.entries<Value | undefined>({ ...state })) {
    if (!value || sameShape(value.shape, x.shape.slice(1, 2))) continue;
    throw b.shapeError(
      `Batch normalisation: ${name} must be [${x.shape[1]}], one number per channel of [${x.shape}], not [${value.shape}].`,
    );
  }
  if (!training) return { y: byRunning(b, x, state, epsilon), nextMean: runningMean, nextVar: runningVar };
  const channels = x.shape[1]!;
  const count = sizeOf(x.shape) / channels;
  if (count === 1) {
    throw b.shapeError(`Batch normalisation in training needs more than one number per channel, not [${x.shape}].`, {
      hint: 'Train with larger batches or images.',
    });
  }
  const weight = state.weight ?? b.expand(b.scalar(1), [channels]);
  const bias = state.bias ?? b.expand(b.scalar(0), [channels]);
  const [y, mean, variance] = b.emitAll('BatchNorm', [x, weight, bias], { epsilon });
  const moved = (running: Value, batch: Value, factor: number): Value =>
    b.add(b.scale(running, 1 - momentum), b.scale(batch, momentum * factor));
  return {
    y: y!,
    nextMean: moved(runningMean, mean!, 1),
    nextVar: moved(runningVar, variance!, count / (count - 1)),
  };
}

/** (x − mean)·weight/√(variance + ε) + bias, as one factor and one summand per channel. */
function byRunning(b: Builder, x: Value, state: BatchNormState, epsilon: number): Value {
  const { weight, bias, runningMean, runningVar } = state;
  const deviation = b.sqrt(b.add(runningVar, b.scalar(epsilon)));
  const factor = b.div(weight ?? b.scalar(1), deviation);
  const offset = b.neg(b.mul(runningMean, factor));
  const perChannel = (value: Value): Value => b.reshape(value, [1, x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
  return b.add(b.mul(x, perChannel(factor)), perChannel(bias ? b.add(bias, offset) : offset));
}
