/**
 * Trains a segmentation network as the published BraTS18 example does: validate the received global model, then train it
 * for some epochs of single-crop Adam steps, and answer with the difference to what was received.
 *
 * @module
 */
import { DataError, InternalError } from '../errors';
import type { ModelSpec, TrainerSpec } from '../jobs/job-spec';
import { createModel, type Model } from '../nn/model';
import { openPredictor, type Predictor } from '../nn/predictor';
import { newTrainingState, openTrainer, type TrainingSession, type TrainingState } from '../nn/trainer';
import type { Task } from '../protocol/messages';
import type { Metrics, Payload } from '../protocol/payload';
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { deriveSeed } from '../util/streams';
import type { CaseSource, TrainingSample } from './case-source';
import { scoreCases, summariseScores } from './evaluation';
import type { Executor, ExecutorContext } from './executor';
import type { ScoreCache } from './score-cache';

export interface SegmentationTrainerOptions {
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly model: ModelSpec;
  readonly trainer: TrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
  readonly cases: CaseSource;
  /** Names of the output channels, for the metrics. */
  readonly regions: readonly string[];
  /** Shared by the sites of a process: a case that several of them validate on is scored once per model. */
  readonly scores: ScoreCache;
}

export function segmentationTrainer(options: SegmentationTrainerOptions): Executor {
  const { trainer, cases } = options;
  const model = createModel(options.model);
  let state: TrainingState | undefined;
  let restored: NamedTensors | undefined;

  return {
    async execute(task, context) {
      const started = performance.now();
      // The loader prepares the first samples while the received model is validated.
      const samples = task.kind === 'train' ? cases.training(task.round, trainer.epochs) : undefined;
      try {
        const scores = await validate(task, context);
        const validated = performance.now();
        const payload = samples ? await trainedPayload(task, samples, scores, context) : metricsOnly(scores);
        const trained = performance.now();
        return { payload, seconds: { validate: (validated - started) / 1000, train: (trained - validated) / 1000 } };
      } finally {
        samples?.close();
      }
    },
    state: () => state && momentsOf(state),
    restore(moments) {
      state = undefined;
      restored = moments;
    },
  };

  async function validate(task: Task, { signal, progress }: ExecutorContext): Promise<Metrics> {
    const predictor = await predictorFor(model, options);
    const { validation } = await cases.lists();
    const total = validation.length;
    const dice = knownScores(task.round, validation);
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
    return summariseScores(dice as readonly (readonly number[])[], options.regions);
  }

  /** Scores that another site of this process has computed for the same model and the same files. */
  function knownScores(round: number, validation: readonly string[]): (readonly number[] | undefined)[] {
    options.scores.use(round);
    return validation.map((identity) => options.scores.get(identity));
  }

  async function trainedPayload(
    task: Task,
    samples: AsyncIterable<TrainingSample>,
    scores: Metrics,
    context: ExecutorContext,
  ): Promise<Payload> {
    const { losses, steps } = await train(task, samples, context);
    return {
      kind: trainer.transfer,
      tensors: answer(trainer.transfer, task.model, state!.parameters),
      metrics: { ...scores, ...lossMetrics(losses) },
      steps,
    };
  }

  /** Runs the round's epochs and returns the mean loss of each, and the number of steps. */
  async function train(task: Task, samples: AsyncIterable<TrainingSample>, { signal, progress }: ExecutorContext) {
    const session = await trainerFor(model, options);
    const { training } = await cases.lists();
    if (training === 0) {
      throw new DataError(`The training list of ${options.site} is empty.`, {
        hint: 'Give every site a training case.',
      });
    }
    const total = training * trainer.epochs;
    state = startRound(model, task.model, state, restored);
    restored = undefined;
    const proximal = trainer.proximalMu > 0 ? { mu: trainer.proximalMu, reference: task.model } : undefined;
    const sums = new Array<number>(trainer.epochs).fill(0);
    let steps = 0;
    for await (const { image, label } of samples) {
      signal.throwIfAborted();
      const epoch = Math.floor(steps / training);
      const dropoutSeed = deriveSeed(options.seed, options.site, 'dropout', task.round, epoch, steps % training);
      const batch = { image, label, learningRate: trainer.learningRate, dropoutSeed, ...(proximal && { proximal }) };
      const { loss } = await session.step(state, batch);
      sums[epoch]! += loss;
      progress({ phase: 'train', done: ++steps, total, loss });
    }
    return { losses: sums.map((sum) => sum / training), steps };
  }
}

function metricsOnly(metrics: Metrics): Payload {
  return { kind: 'metrics', tensors: new Map(), metrics, steps: 0 };
}

function predictorFor(model: Model, { trainer, engine }: SegmentationTrainerOptions): Promise<Predictor> {
  return openPredictor({ model, inputShape: [1, inputChannels(model), ...trainer.inferRoi], ...engine });
}

function trainerFor(model: Model, { trainer, engine, regions }: SegmentationTrainerOptions): Promise<TrainingSession> {
  return openTrainer({
    model,
    loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true },
    optimiser: { kind: 'adam', weightDecay: trainer.weightDecay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    inputShape: [1, inputChannels(model), ...trainer.roi],
    labelShape: [1, regions.length, ...trainer.roi],
    proximal: trainer.proximalMu > 0,
    ...engine,
  });
}

function inputChannels(model: Model): number {
  return model.inChannels;
}

/** The received weights with the site's own moments: the optimiser lives for the whole run. */
function startRound(
  model: Model,
  received: NamedTensors,
  previous: TrainingState | undefined,
  restored: NamedTensors | undefined,
): TrainingState {
  const fresh = newTrainingState(model, received);
  if (previous) return { ...fresh, m: previous.m, v: previous.v, step: previous.step };
  if (!restored) return fresh;
  const names = model.parameters.map(({ name }) => name);
  const part = (prefix: string) => new Map(names.map((name) => [name, take(restored, `${prefix}.${name}`)]));
  return { ...fresh, m: part('m'), v: part('v'), step: Number(take(restored, 'step').data[0]) };
}

/** Adam's moments and step count as tensors, for the site's store. The weights are not state: each round brings new ones. */
function momentsOf(state: TrainingState): NamedTensors {
  const tensors = new Map<string, Tensor>([['step', tensor('float64', [1], Float64Array.of(state.step))]]);
  for (const [name, value] of state.m) tensors.set(`m.${name}`, value);
  for (const [name, value] of state.v) tensors.set(`v.${name}`, value);
  return tensors;
}

function take(tensors: NamedTensors, name: string): Tensor {
  const found = tensors.get(name);
  if (!found) throw new InternalError(`The site's saved state has no tensor '${name}'.`);
  return found;
}

/** The trained weights, or their difference to the received ones, as new arrays that may be transferred away. */
function answer(transfer: TrainerSpec['transfer'], received: NamedTensors, trained: NamedTensors): NamedTensors {
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape, data }] of trained) {
    const values = new Float32Array(data as Float32Array);
    if (transfer === 'weight-diff') {
      const base = take(received, name).data as Float32Array;
      for (let i = 0; i < values.length; i++) values[i] = values[i]! - base[i]!;
    }
    tensors.set(name, tensor('float32', shape, values));
  }
  return tensors;
}

function lossMetrics(losses: readonly number[]): Metrics {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const perEpoch = losses.length > 1 ? losses.map((loss, epoch) => [`train_loss_epoch_${epoch}`, loss]) : [];
  return { train_loss: mean, ...Object.fromEntries(perEpoch) };
}
