/**
 * Translations of a few slices of a site, for the report of a simulation. A real server never sees these.
 *
 * @module
 */

import { sharedPredictor } from '../../executors/shared-sessions';
import { type ScoredSlice, scoreSlices } from '../../executors/slice-evaluation';
import type { SliceSource } from '../../executors/slice-source';
import { isNetwork } from '../../jobs/model-spec';
import type { Metrics } from '../../protocol/payload';
import type { NamedTensors } from '../../tensor/tensor';
import type { SlotSetup } from './slot-messages';

export interface SlicePicture {
  readonly kind: 'slice';
  readonly site: string;
  readonly name: string;
  /** Which of the site's slices it is, by its score. */
  readonly rank: 'best' | 'middle' | 'worst';
  /** [H, W], as are the images: the first channel where there are several. */
  readonly shape: readonly [number, number];
  readonly source: Float32Array;
  readonly target: Float32Array;
  readonly prediction: Float32Array;
  readonly scores: Metrics;
}

/** The best, the middle and the worst validation slice of a site by SSIM; nothing for a job that translates no slices. */
export async function drawSlices(
  { job, sessionThreads }: SlotSetup,
  slices: SliceSource | undefined,
  { site, model }: { readonly site: string; readonly model: NamedTensors },
  signal: AbortSignal,
): Promise<SlicePicture[]> {
  const { model: spec, trainer } = job;
  if (!slices || trainer.kind !== 'translation' || !isNetwork(spec)) return [];
  const engine = { threads: sessionThreads, provider: job.engine.provider };
  const [, height, width] = (await slices.lists()).shape;
  const predictor = await sharedPredictor({ model: spec, engine }, [height, width]);
  const predict = (source: Float32Array) => predictor.run(model, source);
  const stream = slices.cases('validation');
  const scored: ScoredSlice[] = [];
  try {
    for await (const one of scoreSlices(stream, { predict, loss: trainer.loss, signal })) scored.push(one);
  } finally {
    stream.close();
  }
  return ranked(scored).map(([rank, one]) => pictureOf(site, rank, one));
}

/** Fewer than three where there are fewer slices. */
function ranked(scored: readonly ScoredSlice[]): (readonly [SlicePicture['rank'], ScoredSlice])[] {
  const bestFirst = scored.toSorted((a, b) => b.scores.ssim - a.scores.ssim);
  const places = { best: 0, middle: Math.floor(bestFirst.length / 2), worst: bestFirst.length - 1 } as const;
  const taken = new Set<ScoredSlice>();
  return Object.entries(places).flatMap(([rank, place]) => {
    const one = bestFirst[place];
    if (!one || taken.has(one)) return [];
    taken.add(one);
    return [[rank as SlicePicture['rank'], one] as const];
  });
}

function pictureOf(
  site: string,
  rank: SlicePicture['rank'],
  { case: one, prediction, scores }: ScoredSlice,
): SlicePicture {
  const [, height, width] = one.shape;
  const first = (image: Float32Array) => image.slice(0, height * width);
  return {
    kind: 'slice',
    ...{ site, rank, name: one.name, shape: [height, width] },
    source: first(one.source),
    target: first(one.target),
    prediction: first(prediction),
    scores: { SSIM: scores.ssim, PSNR: Number.isFinite(scores.psnr) ? scores.psnr : null, MSE: scores.mse },
  };
}
