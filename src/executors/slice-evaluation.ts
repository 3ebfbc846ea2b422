/**
 * Scores a translation network on slices, one by one.
 *
 * @module
 */
import { DataError } from '../errors';
import type { ImageLossSpec } from '../jobs/translation-trainer-spec';
import { type SliceScoreName, type SliceScores, sliceScoreNames, sliceScores } from '../nn/metrics/slice-scores';
import type { Metrics } from '../protocol/payload';
import type { SliceCase } from './slice-source';

/** Maps a slice [C, H, W] to the one that it should be, [C, H, W]. */
export type PredictSlice = (source: Float32Array) => Promise<Float32Array>;

export interface ScoredSlice {
  readonly case: SliceCase;
  readonly prediction: Float32Array;
  readonly scores: SliceScores;
}

/** Scores one slice after the other, as they are loaded. */
export async function* scoreSlices(
  slices: AsyncIterable<SliceCase>,
  {
    predict,
    loss,
    signal,
  }: { readonly predict: PredictSlice; readonly loss: ImageLossSpec; readonly signal: AbortSignal },
): AsyncGenerator<ScoredSlice> {
  for await (const one of slices) {
    signal.throwIfAborted();
    const prediction = await predict(one.source);
    const { target, mask, shape } = one;
    yield { case: one, prediction, scores: sliceScores({ prediction, target, mask, shape }, loss) };
  }
}

/** Mean and standard deviation of a score over the slices that have it. */
export interface ScoreSummary {
  /** NaN where no slice has it. */
  readonly mean: number;
  /** Of the sample, as numpy's `std` of all slices. */
  readonly std: number;
  readonly count: number;
}

/** Score by score. A PSNR that is infinite is left out as a NaN is. */
export function summariseSlices(all: readonly SliceScores[]): Record<SliceScoreName, ScoreSummary> {
  const rows = sliceScoreNames.map((name) => [name, summary(all.map((scores) => scores[name]))] as const);
  return Object.fromEntries(rows) as Record<SliceScoreName, ScoreSummary>;
}

function summary(all: readonly number[]): ScoreSummary {
  const values = all.filter(Number.isFinite);
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { mean, std: Math.sqrt(variance), count };
}

/**
 * The means as metrics, `null` where no slice has the score.
 *
 * @param split `val` or `test`, before each name
 * @throws DataError when there is no slice at all
 */
export function sliceMetrics(all: readonly SliceScores[], split: 'val' | 'test'): Metrics {
  if (all.length === 0) {
    const list = split === 'val' ? 'validation' : 'test';
    throw new DataError(`There is no ${list} slice, so nothing can be scored.`, {
      hint: `Give every site ${list} slices.`,
    });
  }
  const summaries = Object.entries(summariseSlices(all));
  return Object.fromEntries(summaries.map(([name, { mean, count }]) => [`${split}_${name}`, count > 0 ? mean : null]));
}
