/**
 * The graphs of training one network on labelled images, and of using it.
 *
 * @module
 */
import { Builder } from '../graph/builder';
import { unstack } from '../graph/functions';
import type { Graph, Value } from '../graph/graph';
import type { GradientClip } from '../jobs/optimiser-spec';
import type { Shape } from '../tensor/tensor';
import { applyForInference, conditionInputs, declareModel } from './apply-model';
import { contrastTerm } from './losses/contrast';
import { deepSupervisionLoss } from './losses/deep-supervision';
import { type LossOptions, writeLossOf } from './losses/loss';
import { proximalTerm } from './losses/proximal';
import { type MetricNumbers, type NamedMetrics, writeMetricOf } from './metrics/metric';
import type { Model } from './models/definition';
import type { ModelTraining } from './parameter-groups';
import { type StepNetwork, StepWriter, stepNames, type WrittenStep } from './step-writer';

export type { LossOptions } from './losses/loss';

/** What the loss of a step depends on. */
export interface LossGraphOptions {
  readonly model: Model;
  readonly loss: LossOptions;
  readonly inputShape: Shape;
  readonly labelShape: Shape;
  readonly proximal: boolean;
  /** FedMRI's contrast term; none when omitted. */
  readonly contrast?: ContrastOptions;
}

/** Which parameters the contrast term is about, and how many models it holds them off. */
export interface ContrastOptions {
  readonly parameters: readonly string[];
  readonly previous: number;
}

export interface StepGraphOptions extends LossGraphOptions, ModelTraining {
  readonly clip?: GradientClip;
  readonly metrics?: NamedMetrics;
  /** Whether a given tensor is added to each gradient. @default false */
  readonly correction?: boolean;
}

/** The name of the only network of a step: its tensors have their own names. */
export const ONLY = '';

/** The names of the graph's inputs and outputs that are not parameters. */
export const names = {
  image: 'image',
  label: 'label',
  mu: 'mu',
  loss: 'loss',
  logits: 'logits',
  mask: (dropout: string): string => stepNames.mask('', dropout, 0),
  metric: (metric: string): string => `metric.${metric}`,
  contrast: 'contrast.beta',
  server: (parameter: string): string => `contrast.server.${parameter}`,
  previous: (index: number, parameter: string): string => `contrast.${index}.${parameter}`,
  reference: (parameter: string): string => `reference.${parameter}`,
  gradient: (parameter: string): string => `gradient.${parameter}`,
  correction: (parameter: string): string => `correction.${parameter}`,
} as const;

/** Forward, loss, backward, optimiser: reports `loss` and `metric.…`, gives `next.…` of parameters, slots and buffers. */
export function stepGraph(options: StepGraphOptions): WrittenStep {
  const step = new StepWriter({ [ONLY]: options });
  const loss = writeLoss(step, options);
  step.report(names.loss, loss);
  const gradients = step.gradients(ONLY, loss);
  step.updateBy(ONLY, options.correction ? corrected(step, gradients) : gradients);
  return step.finish();
}

/** Each gradient with the correction that is fed for it; the loss stays as it is. */
function corrected(step: StepWriter, gradients: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  const sums = [...gradients].map(([name, gradient]) => {
    return [name, step.b.add(gradient, step.input(names.correction(name), gradient.shape))] as const;
  });
  return new Map(sums);
}

/** Inputs, parameters → `loss` and `gradient.…` of each parameter: what a step would use, for tests and for analysis. */
export function gradientGraph(options: LossGraphOptions): Graph {
  const { model } = options;
  const training: StepNetwork = { model, optimiser: { kind: 'sgd' } };
  const step = new StepWriter({ [ONLY]: training });
  const loss = writeLoss(step, options);
  step.report(names.loss, loss);
  for (const [name, gradient] of step.gradients(ONLY, loss)) step.b.output(names.gradient(name), gradient);
  return step.finish().graph;
}

/**
 * Applies the only network to `image` and compares with `label`, as a scalar; with the proximal term when asked for. Of
 * several results the loss is their weighted sum. Metrics of the same comparison, of the best result, become results.
 */
export function writeLoss(
  step: StepWriter,
  options: Pick<StepGraphOptions, keyof LossGraphOptions | 'metrics'>,
): Value {
  const { model, loss, inputShape, labelShape, proximal, contrast, metrics = {} } = options;
  const { b } = step;
  const image = step.input(names.image, inputShape);
  const label = step.input(names.label, labelShape);
  const result = step.apply(ONLY, { image });
  const supervised = model.trainingOutputs !== undefined;
  const dataLoss = (supervised ? deepSupervisionLoss : writeLossOf)(b, result, label, loss);
  const prediction = supervised ? unstack(b, result)[0]! : result;
  for (const [name, metric] of Object.entries(metrics)) {
    step.observe(names.metric(name), writeMetricOf(b, { prediction, target: label }, metric));
  }
  const contrasted = contrast ? b.add(dataLoss, writeContrast(step, contrast)) : dataLoss;
  if (!proximal) return contrasted;
  const pairs = [...step.parameters(ONLY)].map(([name, w]) => [w, step.input(names.reference(name), w.shape)] as const);
  return b.add(contrasted, proximalTerm(b, step.input(names.mu, []), pairs));
}

function writeContrast(step: StepWriter, { parameters, previous }: ContrastOptions): Value {
  const all = step.parameters(ONLY);
  const terms = parameters.map((name) => {
    const w = all.get(name)!;
    const others = Array.from({ length: previous }, (_, i) => step.input(names.previous(i, name), w.shape));
    return { w, server: step.input(names.server(name), w.shape), previous: others };
  });
  return contrastTerm(step.b, step.input(names.contrast, []), terms);
}

/** Image and conditions, under their names → `logits`, as the network is used: running statistics, no dropout. */
export function inferenceGraph(model: Model, inputShape: Shape): Graph {
  const b = new Builder();
  const image = b.input(names.image, inputShape);
  const conditions = conditionInputs(b, model, inputShape[0]!);
  b.output(names.logits, applyForInference(b, model, declareModel(b, model), { image, conditions }));
  return b.build();
}

/** The metrics among the results of a step, under their own names. */
export function metricsOf(
  metrics: NamedMetrics | undefined,
  results: ReadonlyMap<string, Float32Array>,
): MetricNumbers {
  return new Map(Object.keys(metrics ?? {}).map((name) => [name, results.get(names.metric(name))!]));
}
