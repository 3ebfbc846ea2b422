/**
 * Trains a segmentation network as the published BraTS18 example does: validate the received global model, then train it
 * for some epochs of single-crop steps, and answer with the difference to what was received.
 *
 * @module
 */
import { ConfigError, DataError, InternalError } from '../errors';
import type { NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec } from '../jobs/trainer-spec';
import { scheduledRate } from '../nn/schedules/schedule';
import { modelState, type TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import type { Metrics, Payload } from '../protocol/payload';
import { trainSettings } from '../protocol/train-settings';
import type { NamedTensors } from '../tensor/tensor';
import { deriveSeed } from '../util/streams';
import type { CaseSource, TrainingSample } from './case-source';
import { scoreCases, summariseScores } from './evaluation';
import type { Executor, ExecutorContext, ExecutorResult } from './executor';
import { beforeStep, passesOf, takeBack } from './own-numbers';
import type { ScoreCache } from './score-cache';
import { contrastOf, sharedPredictor, sharedTrainer, trainingOf } from './shared-sessions';
import { formUpdate, metricsOnly } from './trainer';
import { slotsOf, startRound } from './training-state';

export interface SegmentationTrainerOptions {
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly model: NetworkSpec;
  readonly trainer: SegmentationTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
  readonly cases: CaseSource;
  /** Names of the output channels, for the metrics. */
  readonly regions: readonly string[];
  /** Shared by the sites of a process: a case that several of them validate on is scored once per model. */
  readonly scores: ScoreCache;
}

export function segmentationTrainer(options: SegmentationTrainerOptions): Executor {
  const { trainer, cases } = options;
  const training = trainingOf(options);
  const { model } = training;
  let state: TrainingState | undefined;
  let restored: NamedTensors | undefined;

  return {
    async execute(task, context) {
      refuseOtherTasks(task);
      const started = performance.now();
      // The loader prepares the first samples while the received model is validated.
      const epochs = trainer.epochs * passesOf(context.own).length;
      const samples = task.kind === 'train' ? cases.training(task.round, epochs) : undefined;
      try {
        const scored = task.kind === 'validate' || trainSettings(task).validate !== false;
        const scores = scored ? await validate(task, context) : {};
        const validated = performance.now();
        const result = samples ? await trainedResult(task, samples, scores, context) : { payload: metricsOnly(scores) };
        const trained = performance.now();
        const seconds = { validate: (validated - started) / 1000, train: (trained - validated) / 1000 };
        return { ...result, seconds };
      } finally {
        samples?.close();
      }
    },
    state: () => state && slotsOf(state),
    restore(slots) {
      state = undefined;
      restored = slots;
    },
  };

  async function validate(task: Task, { signal, progress }: ExecutorContext): Promise<Metrics> {
    const predictor = await sharedPredictor(options);
    const { validation } = await cases.lists();
    const total = validation.length;
    const dice = knownScores(task.model, validation);
    const missing = [...validation.keys()].filter((index) => dice[index] === undefined);
    const predict = (window: Float32Array) => predictor.run(task.model, window);
    const stream = cases.validation(missing);
    let done = total - missing.length;
    progress({ phase: 'validate', done, total });
    try {
      for await (const score of scoreCases(stream, { roi: trainer.inferRoi, predict, signal })) {
        const index = missing[done - (total - missing.length)]!;
        dice[index] = score.dice;
        options.scores.set(validation[index]!, score.dice);
        progress({ phase: 'validate', done: ++done, total });
      }
    } finally {
      stream.close();
    }
    if (done !== total) {
      throw new InternalError(`${options.site} has ${total} validation cases, but only ${done} came.`);
    }
    return summariseScores(dice as readonly (readonly number[])[], options.regions);
  }

  /** Scores that another site of this process has computed for the same model and the same files. */
  function knownScores(received: NamedTensors, validation: readonly string[]): (readonly number[] | undefined)[] {
    options.scores.use(received);
    return validation.map((identity) => options.scores.get(identity));
  }

  async function trainedResult(
    task: Task,
    samples: AsyncIterable<TrainingSample>,
    scores: Metrics,
    context: ExecutorContext,
  ): Promise<Pick<ExecutorResult, 'payload' | 'rateSum' | 'trained'>> {
    const { losses, steps, rateSum } = await train(task, samples, context);
    const trained = modelState(model, state!);
    const payload: Payload = {
      kind: trainer.transfer,
      tensors: formUpdate(trainer.transfer, task.model, trained),
      metrics: { ...scores, ...lossMetrics(losses) },
      steps,
    };
    return { payload, rateSum, trained };
  }

  /** Runs the round's epochs and returns the mean loss of each, the steps of shared numbers and the sum of all rates. */
  async function train(task: Task, samples: AsyncIterable<TrainingSample>, context: ExecutorContext) {
    const { signal, progress, correction, own, contrast } = context;
    const passes = passesOf(own);
    const settings = trainSettings(task);
    const { proximalMu: mu = trainer.proximalMu, learningRate: base = trainer.learningRate } = settings;
    const session = await sharedTrainer(options, {
      proximal: mu > 0,
      correction: correction !== undefined,
      ...contrastOf(contrast),
    });
    const { training: count } = await cases.lists();
    if (count === 0) {
      throw new DataError(`The training list of ${options.site} is empty.`, {
        hint: 'Give every site a training case.',
      });
    }
    const total = count * trainer.epochs * passes.length;
    state = startRound(training, task.model, state, restored);
    restored = undefined;
    let { reference = task.model } = context;
    let rateSum = 0;
    const sums = new Array<number>(trainer.epochs).fill(0);
    let steps = 0;
    for await (const { image, label } of samples) {
      signal.throwIfAborted();
      // Each pass has its own order and draws, as an epoch has.
      const turn = Math.floor(steps / count);
      const epoch = Math.floor(turn / passes.length);
      const starts = steps % (count * passes.length) === 0;
      // A step replaces tensors and leaves those of the map before it as they are.
      if (starts && settings.proximalReference === 'epoch') reference = new Map(state.parameters);
      const dropoutSeed = deriveSeed(options.seed, options.site, 'dropout', task.round, turn, steps % count);
      const at = { step: state.step, round: task.round };
      const learningRate = trainer.schedule ? scheduledRate(trainer.schedule, base, at) : base;
      const terms = {
        ...(mu > 0 && { proximal: { mu, reference } }),
        ...(correction && { correction }),
        ...(contrast && { contrast: starts ? { ...contrast, beta: 0 } : contrast }),
      };
      const batch = { image, label, learningRate, dropoutSeed, ...terms };
      const before = passes.length > 1 ? beforeStep(state) : undefined;
      const { loss } = await session.step(state, batch);
      if (before && own) takeBack(state, before, own, passes[turn % passes.length]!);
      sums[epoch]! += loss;
      rateSum += learningRate;
      progress({ phase: 'train', done: ++steps, total, loss });
    }
    if (steps !== total) {
      throw new InternalError(`The round of ${options.site} has ${total} steps, but its samples ended after ${steps}.`);
    }
    const each = count * passes.length;
    return { losses: sums.map((sum) => sum / each), steps: steps / passes.length, rateSum };
  }
}

function refuseOtherTasks({ kind }: Task): void {
  if (kind === 'train' || kind === 'validate') return;
  throw new ConfigError(`The segmentation trainer knows the tasks train and validate, but was given '${kind}'.`);
}

function lossMetrics(losses: readonly number[]): Metrics {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const perEpoch = losses.length > 1 ? losses.map((loss, epoch) => [`train_loss_epoch_${epoch}`, loss]) : [];
  return { train_loss: mean, ...Object.fromEntries(perEpoch) };
}
