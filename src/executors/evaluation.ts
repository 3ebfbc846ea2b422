/**
 * Scores a segmentation network on whole volumes: sliding windows, sigmoid ≥ 0.5, Dice per region.
 *
 * @module
 */
import { DataError } from '../errors';
import { slidingWindow } from '../imaging/sliding-window';
import { diceScores, summarizeDice } from '../nn/metrics/dice';
import type { Metrics } from '../protocol/payload';
import type { ValidationCase } from './case-source';

/** Maps a window [C, X, Y, Z] to logits [regions, X, Y, Z]. */
export type Predict = (window: Float32Array) => Promise<Float32Array>;

export interface CaseScore {
  readonly name: string;
  /** Dice per region; NaN where the truth is empty. */
  readonly dice: readonly number[];
  /** [regions, X, Y, Z], 1 where the network sees the region. */
  readonly prediction: Uint8Array;
}

export interface EvaluationOptions {
  readonly roi: readonly [number, number, number];
  readonly predict: Predict;
  readonly signal: AbortSignal;
}

/** Scores one case after the other, as they are loaded. */
export async function* scoreCases(
  cases: AsyncIterable<ValidationCase>,
  { roi, predict, signal }: EvaluationOptions,
): AsyncGenerator<CaseScore & { readonly case: ValidationCase }> {
  for await (const one of cases) {
    signal.throwIfAborted();
    const { image, shape } = one;
    const logits = await slidingWindow({ data: image, shape }, { roi, overlap: 0.5 }, (window) => {
      signal.throwIfAborted();
      return predict(window);
    });
    // sigmoid(z) ≥ 0.5 exactly where z ≥ 0.
    const prediction = Uint8Array.from(logits.data, (z) => (z >= 0 ? 1 : 0));
    yield { name: one.name, case: one, prediction, dice: diceScores(prediction, one.label, logits.shape[0]) };
  }
}

/**
 * The validation numbers of the published example: `val_dice` is the mean over all (case, region) pairs whose truth is not
 * empty, so it differs from the mean of the regional means. A region that no case has is `null`.
 *
 * @throws DataError when there is no pair at all.
 */
export function summariseScores(scores: readonly (readonly number[])[], regions: readonly string[]): Metrics {
  const { mean, count, channels } = summarizeDice(scores);
  if (count === 0) {
    throw new DataError('No validation case has a labelled voxel, so no Dice can be computed.', {
      hint: 'Check the validation list of the data list and its label files.',
    });
  }
  const perRegion = regions.map((region, i) => [
    `val_dice_${region}`,
    channels[i]!.count > 0 ? channels[i]!.mean : null,
  ]);
  return { val_dice: mean, ...Object.fromEntries(perRegion) };
}
