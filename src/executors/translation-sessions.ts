/**
 * The sessions of translation trainers, shared by the sites of a process as those of `shared-sessions` are. A batch of another
 * size needs a session of that size: the smaller last batch of an epoch, which differs from site to site.
 *
 * @module
 */
import type { NetworkSpec } from '../jobs/model-spec';
import type { TranslationTrainerSpec } from '../jobs/translation-trainer-spec';
import { createModel } from '../nn/model';
import { openPredictor, type Predictor } from '../nn/predictor';
import { openTrainer, type TrainingSession } from '../nn/trainer';
import { once, type StepTerms, trainingOf } from './shared-sessions';

export interface TranslationSessionOptions {
  readonly model: NetworkSpec;
  readonly trainer: TranslationTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
}

const predictors = new Map<string, Promise<Predictor>>();
const trainers = new Map<string, Promise<TrainingSession>>();

/** Predicts slices of this height and width one by one. */
export function slicePredictor(
  { model: spec, engine }: Pick<TranslationSessionOptions, 'model' | 'engine'>,
  size: readonly [number, number],
): Promise<Predictor> {
  return once(predictors, { spec, size, engine }, () => {
    const model = createModel(spec);
    return openPredictor({ model, inputShape: [1, model.inChannels, ...size], ...engine });
  });
}

/** Steps on so many slices of this height and width. */
export function sliceTrainer(
  options: TranslationSessionOptions,
  [count, height, width]: readonly [number, number, number],
  terms: StepTerms,
): Promise<TrainingSession> {
  const { model: spec, trainer, engine } = options;
  return once(trainers, { spec, trainer, engine, terms, count, height, width }, () => {
    const training = trainingOf(options);
    const { model } = training;
    return openTrainer({
      ...training,
      loss: trainer.loss,
      ...(trainer.gradientClip && { clip: trainer.gradientClip }),
      inputShape: [count, model.inChannels, height, width],
      labelShape: [count, model.outChannels, height, width],
      ...terms,
      ...engine,
    });
  });
}
