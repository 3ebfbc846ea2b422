/**
 * Training: a session that does one optimiser step per call.
 *
 * @module
 */
import { ConfigError, NonFiniteError, ShapeError } from '../errors';
import { toOnnx } from '../onnx/export';
import { type Feed, openSession, type Session } from '../onnx/session';
import { targetFor } from '../onnx/target';
import { float32, type NamedTensors, type Shape, sizeOf, type Tensor } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import { parseOptions } from '../util/parse-options';
import { assertImageShape, feedOf, parameterFeeds } from './checks';
import { drawChannelMask } from './layers/dropout';
import type { Model } from './models/definition';
import { type AdamOptions, type AdamSettings, adamOptions, adamScalars } from './optimisers/adam';
import { type LossOptions, names, stepGraph } from './step-graph';

export interface TrainerOptions {
  readonly model: Model;
  readonly loss: LossOptions;
  readonly optimiser: AdamOptions;
  /** `[N, inChannels, ...spatial]`. */
  readonly inputShape: Shape;
  /** `[N, outChannels, ...spatial]`. */
  readonly labelShape: Shape;
  /** Whether steps may have a proximal term. */
  readonly proximal: boolean;
  /** Threads inside an operator; the results do not depend on it. */
  readonly threads: number;
  /** `cpu` (default), `webgpu`, `cuda` or `cuda:<device>`. */
  readonly provider?: string;
}

/** Weights and Adam's moments. A step replaces tensors, it never writes into them. */
export interface TrainingState {
  parameters: Map<string, Tensor>;
  m: Map<string, Tensor>;
  v: Map<string, Tensor>;
  /** Steps done. */
  step: number;
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
}

export interface TrainingSession {
  /**
   * One step; updates `state`. It blocks this thread while the runtime computes.
   *
   * @returns the loss before the step, the proximal term included
   * @throws NonFiniteError when the loss is not finite; `state` is as before then
   * @throws ShapeError when the batch or the state does not fit the session
   */
  step(state: TrainingState, batch: Batch): Promise<{ readonly loss: number }>;
}

/** The state before the first step: the given weights, which are not copied, and zero moments. @throws ShapeError when they do not fit */
export function newTrainingState(model: Model, parameters: NamedTensors): TrainingState {
  const feeds = [...parameterFeeds(model, parameters)];
  const zeros = (): Map<string, Tensor> =>
    new Map(feeds.map(([name, { shape }]) => [name, float32(shape, new Float32Array(sizeOf(shape)))]));
  return {
    parameters: new Map(feeds.map(([name, { shape, data }]) => [name, float32(shape, data)])),
    m: zeros(),
    v: zeros(),
    step: 0,
  };
}

/**
 * A session for steps of one shape. Sessions are shared within a process, so opening the same one again is cheap.
 *
 * @throws ShapeError when the shapes do not fit the model; ConfigError and EngineError when options are out of range
 */
export async function openTrainer(options: TrainerOptions): Promise<TrainingSession> {
  const { model, inputShape, labelShape, threads, provider = 'cpu' } = options;
  assertImageShape(model, inputShape);
  const optimiser = parseOptions('the optimiser', adamOptions, options.optimiser);
  const expected = [inputShape[0]!, model.outChannels, ...inputShape.slice(2)];
  if (`${labelShape}` !== `${expected}`) {
    throw new ShapeError(`Labels for images [${inputShape}] have shape [${expected}], not [${labelShape}].`);
  }
  const bytes = toOnnx(stepGraph({ ...options, optimiser }), await targetFor(provider));
  const session = await openSession(bytes, { threads, provider });
  return { step: (state, batch) => step(session, { ...options, optimiser }, state, batch) };
}

type Settings = Omit<TrainerOptions, 'optimiser'> & { readonly optimiser: AdamSettings };

async function step(session: Session, settings: Settings, state: TrainingState, batch: Batch) {
  const { model } = settings;
  const results = await session.run(stepFeeds(settings, state, batch));
  const loss = results.get(names.loss)![0]!;
  if (!Number.isFinite(loss)) {
    throw new NonFiniteError(`The loss of step ${state.step + 1} is ${loss}; the state is as before the step.`, {
      hint: 'Lower the learning rate, and look for extreme intensities in the images.',
    });
  }
  for (const { name, shape } of model.parameters) {
    const next = (key: string): Tensor => float32(shape, results.get(names.next(key))!);
    state.parameters.set(name, next(name));
    state.m.set(name, next(names.m(name)));
    state.v.set(name, next(names.v(name)));
  }
  state.step++;
  return { loss };
}

function stepFeeds(settings: Settings, state: TrainingState, batch: Batch): Map<string, Feed> {
  const { model, inputShape, labelShape, optimiser, proximal } = settings;
  const scalar = (value: number): Feed => ({ shape: [], data: Float32Array.of(value) });
  const { stepSize, correction } = adamScalars(optimiser, batch.learningRate, state.step + 1);
  const feeds = new Map<string, Feed>([
    [names.image, feedOf('image', inputShape, batch.image)],
    [names.label, feedOf('label', labelShape, batch.label)],
    [names.stepSize, scalar(stepSize)],
    [names.correction, scalar(correction)],
    ...parameterFeeds(model, state.parameters),
  ]);
  for (const [name, feed] of parameterFeeds(model, state.m)) feeds.set(names.m(name), feed);
  for (const [name, feed] of parameterFeeds(model, state.v)) feeds.set(names.v(name), feed);
  const random = new MersenneTwister(batch.dropoutSeed);
  for (const { name, channels, probability } of model.dropouts) {
    const shape = [inputShape[0]!, channels];
    feeds.set(names.mask(name), { shape, data: drawChannelMask(random, sizeOf(shape), probability) });
  }
  if (proximal !== (batch.proximal !== undefined)) {
    throw new ConfigError(
      `The session was opened ${proximal ? 'with' : 'without'} a proximal term; the batch differs.`,
    );
  }
  if (batch.proximal) {
    feeds.set(names.mu, scalar(batch.proximal.mu));
    for (const [name, feed] of parameterFeeds(model, batch.proximal.reference)) feeds.set(names.reference(name), feed);
  }
  return feeds;
}
