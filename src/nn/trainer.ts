/**
 * Training: a session that does one optimiser step per call.
 *
 * @module
 */
import { ConfigError, NonFiniteError, ShapeError } from '../errors';
import type { GradientClip } from '../jobs/optimiser-spec';
import { openGraph } from '../onnx/open-graph';
import type { Feed } from '../onnx/session';
import type { NamedTensors, Shape } from '../tensor/tensor';
import { assertImageShape, feedOf, parameterFeeds } from './checks';
import type { ModelTraining } from './parameter-groups';
import { feedsOf, runStep } from './run-step';
import { type LossOptions, names, ONLY, stepGraph } from './step-graph';
import type { TrainingState } from './training-state';

export { newTrainingState, type TrainingState } from './training-state';

export interface TrainerOptions extends ModelTraining {
  readonly loss: LossOptions;
  /** Limits the gradients; not at all when omitted. */
  readonly clip?: GradientClip;
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

/**
 * A session for steps of one shape. Sessions are shared within a process, so opening the same one again is cheap.
 *
 * @throws ShapeError when the shapes do not fit the model; ConfigError and EngineError when options are out of range
 */
export async function openTrainer(options: TrainerOptions): Promise<TrainingSession> {
  const { model, inputShape, labelShape, threads, provider = 'cpu' } = options;
  assertImageShape(model, inputShape);
  const expected = [inputShape[0]!, model.outChannels, ...inputShape.slice(2)];
  if (`${labelShape}` !== `${expected}`) {
    throw new ShapeError(`Labels for images [${inputShape}] have shape [${expected}], not [${labelShape}].`);
  }
  const written = stepGraph(options);
  const session = await openGraph(written.graph, { threads, provider });
  return {
    async step(state, batch) {
      const states = new Map([[ONLY, state]]);
      const inputs = batchFeeds(options, batch);
      const learningRates = new Map([[ONLY, batch.learningRate]]);
      const feeds = feedsOf(written, states, { inputs, learningRates, dropoutSeed: batch.dropoutSeed });
      const check = (results: ReadonlyMap<string, Float32Array>) => assertFinite(results.get(names.loss)![0]!, state);
      return { loss: (await runStep(session, written, states, feeds, check)).get(names.loss)! };
    },
  };
}

function assertFinite(loss: number, state: TrainingState): void {
  if (Number.isFinite(loss)) return;
  throw new NonFiniteError(`The loss of step ${state.step + 1} is ${loss}; the state is as before the step.`, {
    hint: 'Lower the learning rate, and look for extreme intensities in the images.',
  });
}

/** What a batch feeds. @throws ShapeError, ConfigError when it does not fit the session */
function batchFeeds({ model, inputShape, labelShape, proximal }: TrainerOptions, batch: Batch): Map<string, Feed> {
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
  return feeds;
}
