/**
 * Trains an image-to-image network as the published MRI translation job does: score the received global model, then train it
 * for some epochs of shuffled batches, with an optimiser that lives for the whole run.
 *
 * @module
 */
import { DataError, InternalError } from '../errors';
import type { NetworkSpec } from '../jobs/model-spec';
import type { TranslationTrainerSpec } from '../jobs/translation-trainer-spec';
import type { SliceScores } from '../nn/metrics/slice-scores';
import { modelState, type TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import type { Executor, ExecutorContext } from './executor';
import { lossMetrics, networkExecutor, type Trained } from './network-executor';
import { networkStep, type StepBatch } from './network-step';
import { passesOf } from './own-numbers';
import { type StepTerms, sharedPredictor, sharedTrainer, trainingOf } from './shared-sessions';
import { scoreSlices, sliceMetrics } from './slice-evaluation';
import type { SliceBatch, SliceLists, SliceSource } from './slice-source';

export interface TranslationTrainerOptions {
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly model: NetworkSpec;
  readonly trainer: TranslationTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
  readonly slices: SliceSource;
}

export function translationTrainer(options: TranslationTrainerOptions): Executor {
  const { site, trainer, slices } = options;
  const training = trainingOf(options);
  return networkExecutor<SliceBatch>({
    trainer,
    training,
    samples: (round, epochs) => slices.training(round, epochs, trainer.batchSize),
    validate,
    train,
  });

  /** The metrics of a model on the validation slices, and on the test slices when asked for. */
  async function validate(tensors: NamedTensors, context: ExecutorContext): Promise<Metrics> {
    const scores = await scoresOf('validation', tensors, context);
    const metrics = sliceMetrics(scores, 'val');
    if (!trainer.testMetrics) return metrics;
    return { ...metrics, ...sliceMetrics(await scoresOf('test', tensors, context), 'test') };
  }

  async function scoresOf(
    split: 'validation' | 'test',
    tensors: NamedTensors,
    { signal, progress }: ExecutorContext,
  ): Promise<SliceScores[]> {
    const lists = await slices.lists();
    const predictor = await sharedPredictor(options, sizeOf(lists));
    const predict = (source: Float32Array) => predictor.run(tensors, source);
    const total = lists[split].length;
    const stream = slices.cases(split);
    const scores: SliceScores[] = [];
    progress({ phase: 'validate', done: 0, total });
    try {
      for await (const slice of scoreSlices(stream, { predict, loss: trainer.loss, signal })) {
        scores.push(slice.scores);
        progress({ phase: 'validate', done: scores.length, total });
      }
    } finally {
      stream.close();
    }
    if (scores.length === total) return scores;
    throw new InternalError(`${site} has ${total} ${split} slices, but only ${scores.length} came.`);
  }

  async function train(
    task: Task,
    batches: AsyncIterable<SliceBatch>,
    state: TrainingState,
    context: ExecutorContext,
  ): Promise<Trained> {
    const { signal, progress } = context;
    const lists = await slices.lists();
    const perEpoch = stepsOfEpoch(lists);
    const passes = passesOf(context.own).length;
    const total = perEpoch * trainer.epochs * passes;
    const step = networkStep({ ...options, session: sessionFor }, task, context);
    const losses = new Array<number>(trainer.epochs).fill(0);
    const validationLosses: number[] = [];
    let [steps, rateSum] = [0, 0];
    for await (const { source, target, shape } of batches) {
      signal.throwIfAborted();
      const turn = Math.floor(steps / perEpoch);
      const batch = { image: source, label: target, shape };
      const { loss, learningRate } = await step(state, batch, { turn, index: steps % perEpoch });
      losses[Math.floor(turn / passes)]! += (loss * shape[0]) / (lists.train * passes);
      rateSum += learningRate;
      progress({ phase: 'train', done: ++steps, total, loss });
      if (trainer.validateEpochs && steps % (perEpoch * passes) === 0) {
        const scores = await scoresOf('validation', modelState(training.model, state), context);
        validationLosses.push(meanOf(scores.map((score) => score.loss)));
      }
    }
    if (steps !== total) {
      throw new InternalError(`The round of ${site} has ${total} steps, but its batches ended after ${steps}.`);
    }
    const ofEpochs = validationLosses.length > 0 ? { epoch_val_loss: meanOf(validationLosses) } : {};
    return { metrics: { ...lossMetrics(losses), ...ofEpochs }, steps: steps / passes, rateSum };
  }

  function sessionFor({ shape: [count, , height, width] }: StepBatch & Pick<SliceBatch, 'shape'>, terms: StepTerms) {
    return sharedTrainer(options, { count, size: [height, width] }, terms);
  }

  function stepsOfEpoch({ train: count }: SliceLists): number {
    if (count > 0) return Math.ceil(count / trainer.batchSize);
    throw new DataError(`${site} has no training slice.`, { hint: 'Give every site training slices.' });
  }
}

function sizeOf({ shape: [, height, width] }: SliceLists): readonly [number, number] {
  return [height, width];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
