/**
 * Inference with weights that are fed like the image, so that one session serves every round.
 *
 * @module
 */
import { openGraph } from '../onnx/open-graph';
import type { Feed } from '../onnx/session';
import type { NamedTensors, Shape } from '../tensor/tensor';
import { assertImageShape, conditionFeeds, feedOf, modelFeeds } from './checks';
import type { Model } from './models/definition';
import { inferenceGraph, names } from './step-graph';

export interface PredictorOptions {
  readonly model: Model;
  /** `[N, inChannels, ...spatial]`. */
  readonly inputShape: Shape;
  /** Threads inside an operator; the results do not depend on it. */
  readonly threads: number;
  /** `cpu` (default), `webgpu`, `cuda` or `cuda:<device>`. */
  readonly provider?: string;
}

export interface Predictor {
  /**
   * The logits `[N, outChannels, ...spatial]` of an image in C order. It blocks this thread while the runtime computes.
   *
   * @param state the model's parameters, and its buffers when it has any
   * @param conditions the model's further inputs by name, `[N, features]` each; none when omitted
   * @throws ShapeError when the image, a condition or the state does not fit
   */
  run(state: NamedTensors, image: Float32Array, conditions?: ReadonlyMap<string, Float32Array>): Promise<Float32Array>;
}

/**
 * A predictor for images of one shape. Sessions are shared within a process, so opening the same one again is cheap.
 *
 * @throws ShapeError when the shape does not fit the model; EngineError when the runtime cannot run it
 */
export async function openPredictor(options: PredictorOptions): Promise<Predictor> {
  const { model, inputShape, threads, provider = 'cpu' } = options;
  assertImageShape(model, inputShape);
  const session = await openGraph(inferenceGraph(model, inputShape), { threads, provider });
  return {
    async run(state, image, conditions) {
      const feeds = new Map<string, Feed>([
        [names.image, feedOf('image', inputShape, image)],
        ...conditionFeeds(model, inputShape[0]!, conditions),
        ...modelFeeds(model, state),
      ]);
      return (await session.run(feeds)).get('logits')!;
    },
  };
}
