/**
 * Training: a session that does one optimiser step per call.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { GradientClip } from '../jobs/optimiser-spec';
import type { Feed } from '../onnx/session';
import type { NamedTensors, Shape } from '../tensor/tensor';
import { assertImageShape, feedOf, floatFeed, parameterFeeds } from './checks';
import type { MetricNumbers, NamedMetrics } from './metrics/metric';
import { type ModelTraining, trainedGroups } from './parameter-groups';
import { feedsOf } from './step-feeds';
import { type ContrastOptions, type LossOptions, metricsOf, names, ONLY, stepGraph } from './step-graph';
import { type EngineOptions, openStep } from './step-session';
import type { TrainingState } from './training-state';

export { newTrainingState, type TrainingState } from './training-state';

export interface TrainerOptions extends ModelTraining, EngineOptions {
  readonly loss: LossOptions;
  /** Limits the gradients; not at all when omitted. */
  readonly clip?: GradientClip;
  /** `[N, inChannels, ...spatial]`. */
  readonly inputShape: Shape;
  /** That of the model's results, or `[N, 1, ...spatial]` for a loss that takes class numbers. */
  readonly labelShape: Shape;
  /** Whether steps may have a proximal term. */
  readonly proximal: boolean;
  /** FedMRI's contrast term, which steps are given the models for; none when omitted. */
  readonly contrast?: ContrastOptions;
  /** Whether steps are given a correction of their gradients. @default false */
  readonly correction?: boolean;
  /** What a step tells of its predictions beside the loss, by name; nothing when omitted. */
  readonly metrics?: NamedMetrics;
}

export interface StepResult {
  /** Before the step, the proximal term included. */
  readonly loss: number;
  /**
   * By name: for each image what the metric says, of the predictions that the loss was computed of: in training mode, and
   * before the step. They change nothing: the step is the same without them, and one that is NaN does not stop it.
   */
  readonly metrics: MetricNumbers;
}

export interface Batch {
  /** In C order, of the session's input shape. */
  readonly image: Float32Array;
  /** In C order, of the session's label shape. */
  readonly label: Float32Array;
  readonly learningRate: number;
  /** Its low 32 bits seed the step's dropout masks. */
  readonly dropoutSeed: number;
  /** FedProx: (μ/2)·‖w − reference‖² is added to the loss. Only in a session opened with `proximal`, and then needed. */
  readonly proximal?: { readonly mu: number; readonly reference: NamedTensors };
  /**
   * FedMRI (Feng et al. 2022, arXiv:2112.05752): β·‖w − server‖₁ / Σ‖w − previous‖₁ is added to the loss, over the parameters of the
   * session. Only in a session opened with `contrast`, and then needed.
   */
  readonly contrast?: {
    readonly beta: number;
    readonly server: NamedTensors;
    readonly previous: readonly NamedTensors[];
  };
  /**
   * By parameter: added to its gradient before that is clipped (the c − c_i of SCAFFOLD, Karimireddy et al. 2020,
   * arXiv:1910.06378). Only in a session opened with `correction`, and then needed.
   */
  readonly correction?: NamedTensors;
}

export interface TrainingSession {
  /**
   * One step; updates `state`. It blocks this thread while the runtime computes.
   *
   * @throws NonFiniteError when the loss or a result is not finite, naming where that began; `state` is as before then
   * @throws ShapeError when the batch or the state does not fit the session
   */
  step(state: TrainingState, batch: Batch): Promise<StepResult>;
}

/**
 * A session for steps of one shape. Sessions are shared within a process, so opening the same one again is cheap.
 *
 * @throws ShapeError when the shapes do not fit the model; ConfigError and EngineError when options are out of range
 */
export async function openTrainer(options: TrainerOptions): Promise<TrainingSession> {
  assertImageShape(options.model, options.inputShape);
  const written = stepGraph(options);
  const session = await openStep(written, options);
  return {
    async step(state, batch) {
      const states = new Map([[ONLY, state]]);
      const inputs = batchFeeds(options, batch);
      for (const [name, feed] of correctionFeeds(options, batch)) inputs.set(name, feed);
      const learningRates = new Map([[ONLY, batch.learningRate]]);
      const feeds = feedsOf(written, states, { inputs, learningRates, dropoutSeed: batch.dropoutSeed });
      const results = await session.run(states, feeds);
      return { loss: results.get(names.loss)![0]!, metrics: metricsOf(options.metrics, results) };
    },
  };
}

/** What a batch feeds. @throws ShapeError, ConfigError when it does not fit the session */
export function batchFeeds(options: TrainerOptions, batch: Omit<Batch, 'learningRate'>): Map<string, Feed> {
  const { model, inputShape, labelShape, proximal } = options;
  const feeds = new Map<string, Feed>([
    [names.image, feedOf('image', inputShape, batch.image)],
    [names.label, feedOf('label', labelShape, batch.label)],
  ]);
  if (proximal !== (batch.proximal !== undefined)) {
    throw new ConfigError(
      `The session was opened ${proximal ? 'with' : 'without'} a proximal term; the batch differs.`,
    );
  }
  if (batch.proximal) {
    feeds.set(names.mu, feedOf('mu', [], Float32Array.of(batch.proximal.mu)));
    for (const [name, feed] of parameterFeeds(model, batch.proximal.reference)) feeds.set(names.reference(name), feed);
  }
  for (const [name, feed] of contrastFeeds(options, batch)) feeds.set(name, feed);
  return feeds;
}

/** @throws ShapeError, ConfigError when the models of the contrast term do not fit the session */
function* contrastFeeds(
  { model, contrast: expected }: TrainerOptions,
  { contrast }: Pick<Batch, 'contrast'>,
): Generator<readonly [string, Feed]> {
  if ((expected?.previous ?? 0) !== (contrast?.previous.length ?? 0)) {
    const told = (count = 0) => (count === 0 ? 'without a contrast term' : `with a contrast term of ${count} models`);
    throw new ConfigError(`The session was opened ${told(expected?.previous)}; the batch differs.`);
  }
  if (!expected || !contrast) return;
  yield [names.contrast, feedOf('beta', [], Float32Array.of(contrast.beta))];
  for (const { name, shape } of model.parameters.filter(({ name }) => expected.parameters.includes(name))) {
    yield [names.server(name), floatFeed("The server's", name, shape, contrast.server.get(name))];
    for (const [i, one] of contrast.previous.entries()) {
      yield [names.previous(i, name), floatFeed('The previous', name, shape, one.get(name))];
    }
  }
}

/** @throws ShapeError, ConfigError when the correction does not fit the session */
function* correctionFeeds(options: TrainerOptions, { correction }: Batch): Generator<readonly [string, Feed]> {
  const { correction: expected = false } = options;
  if (expected !== (correction !== undefined)) {
    throw new ConfigError(`The session was opened ${expected ? 'with' : 'without'} a correction; the batch differs.`);
  }
  if (!correction) return;
  for (const { name, shape } of trainedGroups(options).flatMap(({ parameters }) => parameters)) {
    yield [names.correction(name), floatFeed('The correction of', name, shape, correction.get(name))];
  }
}
