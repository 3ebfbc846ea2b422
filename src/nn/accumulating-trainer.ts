/**
 * Training on batches that do not fit into memory at once: gradients are summed over micro-batches, then one optimiser
 * step is made with their mean. For losses that are means over samples it is the step of the whole batch.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { float32, type NamedTensors, sizeOf, type Tensor } from '../tensor/tensor';
import { assertImageShape, feedOf, floatFeed } from './checks';
import type { MetricNumbers } from './metrics/metric';
import { feedsOf } from './step-feeds';
import { metricsOf, names, ONLY, writeLoss } from './step-graph';
import { openStep } from './step-session';
import { StepWriter, type WrittenStep } from './step-writer';
import { type Batch, batchFeeds, type StepResult, type TrainerOptions } from './trainer';
import type { TrainingState } from './training-state';

/** A part of a batch. */
export type MicroBatch = Omit<Batch, 'learningRate'>;

export interface AccumulatingSession {
  /**
   * One optimiser step on the mean gradient of the micro-batches; running statistics move with each of them. It blocks
   * this thread while the runtime computes.
   *
   * @returns the mean of the micro-batches' losses before the step, and the metrics of their images one after the other
   * @throws NonFiniteError, ShapeError, ConfigError as the step of a TrainingSession; `state` is as before then
   */
  step(state: TrainingState, microBatches: readonly MicroBatch[], learningRate: number): Promise<StepResult>;
}

const sumOf = (parameter: string): string => `sum.${parameter}`;
const SHARE = 'share';

/** Sessions for micro-batches of one shape, any number of them a step. @throws as `openTrainer` */
export async function openAccumulatingTrainer(
  options: Omit<TrainerOptions, 'correction'>,
): Promise<AccumulatingSession> {
  assertImageShape(options.model, options.inputShape);
  const [summing, updating] = [writeSum(options), writeUpdate(options)];
  const [sum, update] = [await openStep(summing, options), await openStep(updating, options)];
  const trained = [...summing.graph.outputs.keys()].filter((name) => name.startsWith(sumOf('')));
  const shapes = new Map(trained.map((name) => [name, summing.graph.outputs.get(name)!.shape]));

  async function add(draft: TrainingState, sums: NamedTensors, batch: MicroBatch) {
    const states = new Map([[ONLY, draft]]);
    const inputs = batchFeeds(options, batch);
    for (const [name, tensor] of sums)
      inputs.set(previous(name), floatFeed('The gradient', name, tensor.shape, tensor));
    const feeds = feedsOf(summing, states, { inputs, learningRates: new Map(), dropoutSeed: batch.dropoutSeed });
    const results = await sum.run(states, feeds);
    const next = trained.map((name) => [name, float32(shapes.get(name)!, results.get(name)!)] as const);
    const metrics = metricsOf(options.metrics, results);
    return { sums: new Map<string, Tensor>(next), loss: results.get(names.loss)![0]!, metrics };
  }

  return {
    async step(state, microBatches, learningRate) {
      if (microBatches.length === 0) throw new ConfigError('A step needs at least one micro-batch.');
      // Running statistics move before the step is known to be good: on a copy.
      const draft: TrainingState = { ...state, parameters: new Map(state.parameters), buffers: new Map(state.buffers) };
      draft.slots = new Map([...state.slots].map(([slot, values]) => [slot, new Map(values)]));
      let sums: NamedTensors = new Map([...shapes].map(([name, shape]) => [name, zeros(shape)]));
      let total = 0;
      const metrics: MetricNumbers[] = [];
      for (const batch of microBatches) {
        const after = await add(draft, sums, batch);
        sums = after.sums;
        total += after.loss;
        metrics.push(after.metrics);
      }
      const inputs = new Map([[SHARE, feedOf(SHARE, [], Float32Array.of(1 / microBatches.length))]]);
      for (const [name, { shape, data }] of sums) inputs.set(name, feedOf(name, shape, data as Float32Array));
      const states = new Map([[ONLY, draft]]);
      const learningRates = new Map([[ONLY, learningRate]]);
      await update.run(states, feedsOf(updating, states, { inputs, learningRates, dropoutSeed: 0 }));
      Object.assign(state, draft);
      return { loss: total / microBatches.length, metrics: joined(metrics) };
    },
  };
}

/** The numbers of each metric, one batch after the other. */
function joined(batches: readonly MetricNumbers[]): MetricNumbers {
  const names = [...batches[0]!.keys()];
  return new Map(names.map((name) => [name, Float32Array.from(batches.flatMap((numbers) => [...numbers.get(name)!]))]));
}

function zeros(shape: readonly number[]): Tensor {
  return float32(shape, new Float32Array(sizeOf(shape)));
}

/** Name under which a sum goes in; it comes out as `sum.…`. */
const previous = (name: string): string => `previous.${name}`;

/** Forward, loss, backward: `sum.…` = `previous.sum.…` + gradient. */
function writeSum(options: TrainerOptions): WrittenStep {
  const step = new StepWriter({ [ONLY]: options });
  const loss = writeLoss(step, options);
  step.report(names.loss, loss);
  for (const [name, gradient] of step.gradients(ONLY, loss)) {
    step.b.output(sumOf(name), step.b.add(step.input(previous(sumOf(name)), gradient.shape), gradient));
  }
  return step.finish();
}

/** The optimiser's step with the sums times `share`. */
function writeUpdate(options: TrainerOptions): WrittenStep {
  const step = new StepWriter({ [ONLY]: options });
  const share = step.input(SHARE, []);
  const parameters = step.parameters(ONLY);
  const gradients = step
    .trainedNames(ONLY)
    .map((name) => [name, step.b.mul(step.input(sumOf(name), parameters.get(name)!.shape), share)] as const);
  step.updateBy(ONLY, new Map(gradients));
  return step.finish();
}
