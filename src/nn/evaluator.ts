/**
 * Metrics of a network computed where its results are: only numbers leave the runtime.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { Builder } from '../graph/builder';
import type { Graph } from '../graph/graph';
import { openGraph } from '../onnx/open-graph';
import type { Feed } from '../onnx/session';
import type { NamedTensors, Shape } from '../tensor/tensor';
import { applyForInference, conditionInputs, declareModel } from './apply-model';
import { assertImageShape, conditionFeeds, feedOf, modelFeeds } from './checks';
import { type MetricNumbers, type NamedMetrics, writeMetricOf } from './metrics/metric';
import type { Model } from './models/definition';
import { names } from './step-graph';
import type { EngineOptions } from './step-session';

export interface EvaluatorOptions extends EngineOptions {
  readonly model: Model;
  /** `[N, inChannels, ...spatial]`. */
  readonly inputShape: Shape;
  /** That of the model's results, or `[N, 1, ...spatial]` for class numbers. */
  readonly targetShape: Shape;
  /** `[N, 1, ...spatial]` or that of the model's results. Masked metrics count voxels with target > 0 when omitted. */
  readonly maskShape?: Shape;
  /** What to compute, by name. */
  readonly metrics: NamedMetrics;
}

/** What is compared, in C order and of the evaluator's shapes. */
export interface EvaluationBatch {
  readonly image: Float32Array;
  readonly target: Float32Array;
  /** 1 where a masked metric counts a voxel, else 0. Only in an evaluator opened with a `maskShape`, and then needed. */
  readonly mask?: Float32Array;
  /** The model's further inputs by name, `[N, features]` each; none when omitted. */
  readonly conditions?: ReadonlyMap<string, Float32Array>;
}

export interface Evaluator {
  /**
   * The metrics of a batch, by name: for each a number an image, or as many an image as the metric says. NaN and infinity
   * where a metric is not defined. It blocks this thread while the runtime computes.
   *
   * @param state the model's parameters, and its buffers when it has any
   * @throws ShapeError, ConfigError when the batch or the state does not fit
   */
  run(state: NamedTensors, batch: EvaluationBatch): Promise<MetricNumbers>;
}

const TARGET = 'target';
const MASK = 'mask';

/**
 * An evaluator for batches of one shape: the network as it is used, with running statistics and without dropout. Sessions
 * are shared within a process, so opening the same one again is cheap.
 *
 * @throws ShapeError when shapes do not fit; ConfigError when a metric is wrong or there is none; EngineError when the
 * runtime cannot run it
 */
export async function openEvaluator(options: EvaluatorOptions): Promise<Evaluator> {
  const { model, inputShape, targetShape, maskShape, threads, provider = 'cpu' } = options;
  const session = await openGraph(evaluationGraph(options), { threads, provider });
  return {
    async run(state, { image, target, mask, conditions }) {
      if ((mask === undefined) !== (maskShape === undefined)) {
        throw new ConfigError(`The evaluator was opened ${maskShape ? 'with' : 'without'} a mask; the batch differs.`);
      }
      const feeds = new Map<string, Feed>([
        [names.image, feedOf(names.image, inputShape, image)],
        [TARGET, feedOf(TARGET, targetShape, target)],
        ...(maskShape ? [[MASK, feedOf(MASK, maskShape, mask!)] as const] : []),
        ...conditionFeeds(model, inputShape[0]!, conditions),
        ...modelFeeds(model, state),
      ]);
      return session.run(feeds);
    },
  };
}

/** Image, target, mask and conditions → the metrics, under their names. */
export function evaluationGraph(
  options: Pick<EvaluatorOptions, 'model' | 'inputShape' | 'targetShape' | 'maskShape' | 'metrics'>,
): Graph {
  const { model, inputShape, targetShape, maskShape, metrics } = options;
  assertImageShape(model, inputShape);
  if (Object.keys(metrics).length === 0) throw new ConfigError('An evaluator needs at least one metric.');
  const b = new Builder();
  const image = b.input(names.image, inputShape);
  const conditions = conditionInputs(b, model, inputShape[0]!);
  const prediction = applyForInference(b, model, declareModel(b, model), { image, conditions });
  const target = b.input(TARGET, targetShape);
  const compared = { prediction, target, ...(maskShape && { mask: b.input(MASK, maskShape) }) };
  for (const [name, metric] of Object.entries(metrics)) b.output(name, writeMetricOf(b, compared, metric));
  return b.build();
}
