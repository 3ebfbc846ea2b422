/**
 * Trains an image-to-image network as the published MRI translation job does: score the received global model, then train it
 * for some epochs of shuffled batches, with an optimiser that lives for the whole run.
 *
 * @module
 */
import { ConfigError, DataError, InternalError } from '../errors';
import type { NetworkSpec } from '../jobs/model-spec';
import type { TranslationTrainerSpec } from '../jobs/translation-trainer-spec';
import type { SliceScores } from '../nn/metrics/slice-scores';
import { scheduledRate } from '../nn/schedules/schedule';
import { modelState, type TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import type { Metrics, Payload } from '../protocol/payload';
import { trainSettings } from '../protocol/train-settings';
import type { NamedTensors } from '../tensor/tensor';
import { deriveSeed } from '../util/streams';
import type { CaseStream } from './case-source';
import type { Executor, ExecutorContext, ExecutorResult } from './executor';
import { beforeStep, passesOf, takeBack } from './own-numbers';
import { contrastOf, trainingOf } from './shared-sessions';
import { scoreSlices, sliceMetrics } from './slice-evaluation';
import type { SliceBatch, SliceLists, SliceSource } from './slice-source';
import { formUpdate, metricsOnly } from './trainer';
import { slotsOf, startRound } from './training-state';
import { slicePredictor, sliceTrainer } from './translation-sessions';

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
  const { trainer, slices } = options;
  const training = trainingOf(options);
  const { model } = training;
  let state: TrainingState | undefined;
  let restored: NamedTensors | undefined;

  return {
    async execute(task, context) {
      refuseOtherTasks(task);
      const started = performance.now();
      // The loader prepares the first batches while the received model is scored.
      const epochs = trainer.epochs * passesOf(context.own).length;
      const batches = task.kind === 'train' ? slices.training(task.round, epochs, trainer.batchSize) : undefined;
      try {
        const scored = task.kind === 'validate' || trainSettings(task).validate !== false;
        const scores = scored ? await validate(task.model, context) : {};
        const validated = performance.now();
        const result = batches ? await trainedResult(task, batches, scores, context) : { payload: metricsOnly(scores) };
        const trained = performance.now();
        const seconds = { validate: (validated - started) / 1000, train: (trained - validated) / 1000 };
        return { ...result, seconds };
      } finally {
        batches?.close();
      }
    },
    state: () => state && slotsOf(state),
    restore(slots) {
      state = undefined;
      restored = slots;
    },
  };

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
    const predictor = await slicePredictor(options, sizeOf(lists));
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
    throw new InternalError(`${options.site} has ${total} ${split} slices, but only ${scores.length} came.`);
  }

  async function trainedResult(
    task: Task,
    batches: CaseStream<SliceBatch>,
    scores: Metrics,
    context: ExecutorContext,
  ): Promise<Pick<ExecutorResult, 'payload' | 'rateSum' | 'trained'>> {
    const { metrics, steps, rateSum } = await train(task, batches, context);
    const trained = modelState(model, state!);
    const payload: Payload = {
      kind: trainer.transfer,
      tensors: formUpdate(trainer.transfer, task.model, trained),
      metrics: { ...scores, ...metrics },
      steps,
    };
    return { payload, rateSum, trained };
  }

  /** Runs the round's epochs: the metrics of the training, the steps of shared numbers and the sum of all rates. */
  async function train(task: Task, batches: AsyncIterable<SliceBatch>, context: ExecutorContext) {
    const { signal, progress } = context;
    const lists = await slices.lists();
    const perEpoch = stepsOfEpoch(lists);
    const passes = passesOf(context.own).length;
    const total = perEpoch * trainer.epochs * passes;
    state = startRound(training, task.model, state, restored);
    restored = undefined;
    const step = stepOf(task, context);
    const losses = new Array<number>(trainer.epochs).fill(0);
    const validationLosses: number[] = [];
    let [steps, rateSum] = [0, 0];
    for await (const batch of batches) {
      signal.throwIfAborted();
      const turn = Math.floor(steps / perEpoch);
      const { loss, learningRate } = await step(state, batch, { turn, index: steps % perEpoch });
      losses[Math.floor(turn / passes)]! += (loss * batch.shape[0]) / (lists.train * passes);
      rateSum += learningRate;
      progress({ phase: 'train', done: ++steps, total, loss });
      if (trainer.validateEpochs && steps % (perEpoch * passes) === 0) {
        const scores = await scoresOf('validation', modelState(model, state), context);
        validationLosses.push(meanOf(scores.map((score) => score.loss)));
      }
    }
    if (steps !== total) {
      throw new InternalError(`The round of ${options.site} has ${total} steps, but its batches ended after ${steps}.`);
    }
    return { metrics: trainingMetrics(losses, validationLosses), steps: steps / passes, rateSum };
  }

  function stepsOfEpoch({ train: count }: SliceLists): number {
    if (count > 0) return Math.ceil(count / trainer.batchSize);
    throw new DataError(`${options.site} has no training slice.`, { hint: 'Give every site training slices.' });
  }

  /** One step of a round, with what the algorithm adds to it. */
  function stepOf(task: Task, { correction, contrast, own, reference: given = task.model }: ExecutorContext) {
    const {
      proximalMu: mu = trainer.proximalMu,
      proximalReference = 'round',
      learningRate: base = trainer.learningRate,
    } = trainSettings(task);
    const terms = { proximal: mu > 0, correction: correction !== undefined, ...contrastOf(contrast) };
    const passes = passesOf(own);
    let reference = given;
    return async (at: TrainingState, batch: SliceBatch, { turn, index }: { turn: number; index: number }) => {
      const [count, , height, width] = batch.shape;
      const session = await sliceTrainer(options, [count, height, width], terms);
      // A step replaces the tensors of the state, so these stay as they are.
      const starts = index === 0 && turn % passes.length === 0;
      if (proximalReference === 'epoch' && starts) reference = new Map(at.parameters);
      const dropoutSeed = deriveSeed(options.seed, options.site, 'dropout', task.round, turn, index);
      const learningRate = trainer.schedule
        ? scheduledRate(trainer.schedule, base, { step: at.step, round: task.round })
        : base;
      const before = passes.length > 1 ? beforeStep(at) : undefined;
      const { loss } = await session.step(at, {
        image: batch.source,
        label: batch.target,
        learningRate,
        dropoutSeed,
        ...(mu > 0 && { proximal: { mu, reference } }),
        ...(correction && { correction }),
        ...(contrast && { contrast: starts ? { ...contrast, beta: 0 } : contrast }),
      });
      if (before && own) takeBack(at, before, own, passes[turn % passes.length]!);
      return { loss, learningRate };
    };
  }
}

function refuseOtherTasks({ kind }: Task): void {
  if (kind === 'train' || kind === 'validate') return;
  throw new ConfigError(`The translation trainer knows the tasks train and validate, but was given '${kind}'.`);
}

function sizeOf({ shape: [, height, width] }: SliceLists): readonly [number, number] {
  return [height, width];
}

/** @param losses mean over the slices, by epoch; `validation` likewise, where each epoch was validated */
function trainingMetrics(losses: readonly number[], validation: readonly number[]): Metrics {
  const perEpoch = losses.length > 1 ? losses.map((loss, epoch) => [`train_loss_epoch_${epoch}`, loss]) : [];
  return {
    train_loss: meanOf(losses),
    ...Object.fromEntries(perEpoch),
    ...(validation.length > 0 && { epoch_val_loss: meanOf(validation) }),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
