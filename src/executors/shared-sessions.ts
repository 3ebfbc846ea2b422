/**
 * The sessions of a process. Writing a training graph takes as long as several steps, so the sites that share a process also
 * share its sessions, from round to round.
 *
 * @module
 */
import type { NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec } from '../jobs/trainer-spec';
import { createModel } from '../nn/model';
import type { ModelTraining } from '../nn/parameter-groups';
import { openPredictor, type Predictor } from '../nn/predictor';
import { openTrainer, type TrainingSession } from '../nn/trainer';

export interface SessionOptions {
  readonly model: NetworkSpec;
  readonly trainer: SegmentationTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
}

const predictors = new Map<string, Promise<Predictor>>();
const trainers = new Map<string, Promise<TrainingSession>>();

/** Predicts windows of the size that the trainer validates with. */
export function sharedPredictor({ model: spec, trainer, engine }: SessionOptions): Promise<Predictor> {
  return once(predictors, { spec, size: trainer.inferRoi, engine }, () => {
    const model = createModel(spec);
    return openPredictor({ model, inputShape: [1, model.inChannels, ...trainer.inferRoi], ...engine });
  });
}

/** The model and how its parameters are trained: with the published optimiser. */
export function trainingOf({
  model,
  trainer: { weightDecay },
}: Pick<SessionOptions, 'model' | 'trainer'>): ModelTraining {
  return {
    model: createModel(model),
    optimiser: { kind: 'adam', weightDecay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  };
}

/** Steps on crops of the trainer's size, with the published loss and optimiser. */
export function sharedTrainer(options: SessionOptions): Promise<TrainingSession> {
  const { model: spec, trainer, engine } = options;
  return once(trainers, { spec, trainer, engine }, () => {
    const training = trainingOf(options);
    const { model } = training;
    return openTrainer({
      ...training,
      loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true },
      inputShape: [1, model.inChannels, ...trainer.roi],
      labelShape: [1, model.outChannels, ...trainer.roi],
      proximal: trainer.proximalMu > 0,
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
