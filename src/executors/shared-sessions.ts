/**
 * The sessions of a process. Writing a training graph takes as long as several steps, so the sites that share a process also
 * share its sessions, from round to round. A batch of another size needs a session of that size: the smaller last batch of an
 * epoch of slices, which differs from site to site.
 *
 * @module
 */
import type { NetworkSpec } from '../jobs/model-spec';
import type { NetworkTrainerSpec } from '../jobs/trainer-spec';
import { createModel } from '../nn/model';
import type { ModelTraining } from '../nn/parameter-groups';
import { openPredictor, type Predictor } from '../nn/predictor';
import type { ContrastOptions } from '../nn/step-graph';
import { openTrainer, type TrainingSession } from '../nn/trainer';
import type { ExecutorContext } from './executor';

export interface SessionOptions {
  readonly model: NetworkSpec;
  readonly trainer: NetworkTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
}

const predictors = new Map<string, Promise<Predictor>>();
const trainers = new Map<string, Promise<TrainingSession>>();

/** Predicts one window or slice of this size after the other. @param size along each spatial axis */
export function sharedPredictor(
  { model: spec, engine }: Pick<SessionOptions, 'model' | 'engine'>,
  size: readonly number[],
): Promise<Predictor> {
  return once(predictors, { spec, size, engine }, () => {
    const model = createModel(spec);
    return openPredictor({ model, inputShape: [1, model.inChannels, ...size], ...engine });
  });
}

/** The model and how its parameters are trained. */
export function trainingOf({
  model,
  trainer: { optimiser },
}: {
  readonly model: NetworkSpec;
  readonly trainer: Pick<NetworkTrainerSpec, 'optimiser'>;
}): ModelTraining {
  return { model: createModel(model), optimiser };
}

/** What the steps of a task add to what the trainer is made for. */
export interface StepTerms {
  /** FedProx. */
  readonly proximal: boolean;
  /** SCAFFOLD. */
  readonly correction: boolean;
  /** FedMRI. */
  readonly contrast?: ContrastOptions;
}

/** What the contrast term of a task says of the sessions for it. */
export function contrastOf(contrast: ExecutorContext['contrast']): Pick<StepTerms, 'contrast'> {
  if (!contrast) return {};
  return { contrast: { parameters: [...contrast.server.keys()], previous: contrast.previous.length } };
}

/** Steps on batches of `count` images of this size. @param size along each spatial axis */
export function sharedTrainer(
  options: SessionOptions,
  { count, size }: { readonly count: number; readonly size: readonly number[] },
  terms: StepTerms,
): Promise<TrainingSession> {
  const { model: spec, trainer, engine } = options;
  return once(trainers, { spec, trainer, engine, terms, count, size }, () => {
    const training = trainingOf(options);
    const { model } = training;
    return openTrainer({
      ...training,
      loss: trainer.loss,
      ...(trainer.gradientClip && { clip: trainer.gradientClip }),
      inputShape: [count, model.inChannels, ...size],
      labelShape: [count, model.outChannels, ...size],
      ...terms,
      ...engine,
    });
  });
}

/** What was opened for these settings before, or what `open` gives; a failed attempt is not kept. */
function once<T>(opened: Map<string, Promise<T>>, settings: object, open: () => Promise<T>): Promise<T> {
  const key = JSON.stringify(settings);
  const known = opened.get(key);
  if (known) return known;
  const opening = open();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}
