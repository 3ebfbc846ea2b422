/**
 * Predictions on a few validation cases, for the report of a simulation. A real server never sees these.
 *
 * @module
 */
import type { CaseSource, ValidationCase } from '../../executors/case-source';
import { type CaseScore, scoreCases } from '../../executors/evaluation';
import { sharedPredictor } from '../../executors/shared-sessions';
import { regionsToLabels } from '../../imaging/brats/labels';
import { isNetwork } from '../../jobs/model-spec';
import type { NamedTensors } from '../../tensor/tensor';
import type { SlotSetup } from './slot-messages';

export interface CasePicture {
  readonly kind: 'volume';
  readonly name: string;
  /** [X, Y, Z]. */
  readonly shape: readonly [number, number, number];
  /** [C, X, Y, Z], normalised intensities. */
  readonly image: Float32Array;
  /** Labels 0, 1, 2, 4 of every voxel. */
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
  /** Per region; NaN where the truth is empty. */
  readonly dice: readonly number[];
}

/** Predicts `count` cases, spread evenly over the validation list; none for a job that does not segment volumes. */
export async function drawCases(
  { job, sessionThreads }: SlotSetup,
  cases: CaseSource | undefined,
  { model, count }: { readonly model: NamedTensors; readonly count: number },
  signal: AbortSignal,
): Promise<CasePicture[]> {
  const { model: spec, trainer } = job;
  if (!cases || trainer.kind !== 'segmentation' || !isNetwork(spec)) return [];
  const engine = { threads: sessionThreads, provider: job.engine.provider };
  const predictor = await sharedPredictor({ model: spec, engine }, trainer.inferRoi);
  const predict = (window: Float32Array) => predictor.run(model, window);
  const pictures: CasePicture[] = [];
  const { validation } = await cases.lists();
  const stream = cases.validation(spread(validation.length, count));
  try {
    for await (const score of scoreCases(stream, { roi: trainer.inferRoi, predict, signal }))
      pictures.push(pictureOf(score));
  } finally {
    stream.close();
  }
  return pictures;
}

function pictureOf({ case: one, prediction, dice }: CaseScore & { readonly case: ValidationCase }): CasePicture {
  const [, x, y, z] = one.shape;
  return {
    kind: 'volume',
    name: one.name,
    shape: [x, y, z],
    image: one.image,
    truth: regionsToLabels(one.label),
    prediction: regionsToLabels(prediction),
    dice,
  };
}

/** At most `count` places of a list of `length`, evenly spread. */
function spread(length: number, count: number): number[] {
  return [...new Set(Array.from({ length: count }, (_, i) => Math.floor((i * length) / count)))];
}
