/**
 * One training step as one graph: forward, loss, backward, optimiser.
 *
 * @module
 */
import { Builder } from '../graph/builder';
import { differentiate } from '../graph/differentiate';
import type { Graph, Value } from '../graph/graph';
import type { Shape } from '../tensor/tensor';
import { type DiceLossOptions, diceLoss } from './losses/dice';
import { proximalTerm } from './losses/proximal';
import type { Model } from './models/definition';
import { type AdamSettings, adamStep } from './optimisers/adam';

export type LossOptions = DiceLossOptions;

export interface StepGraphOptions {
  readonly model: Model;
  readonly loss: LossOptions;
  readonly optimiser: AdamSettings;
  readonly inputShape: Shape;
  readonly labelShape: Shape;
  readonly proximal: boolean;
}

/** The names of the graph's inputs and outputs that are not parameters. */
export const names = {
  image: 'image',
  label: 'label',
  stepSize: 'step_size',
  correction: 'correction',
  mu: 'mu',
  loss: 'loss',
  mask: (dropout: string): string => `mask.${dropout}`,
  reference: (parameter: string): string => `reference.${parameter}`,
  m: (parameter: string): string => `m.${parameter}`,
  v: (parameter: string): string => `v.${parameter}`,
  next: (name: string): string => `next.${name}`,
  gradient: (parameter: string): string => `gradient.${parameter}`,
} as const;

/** The parameters of a model as parameters of the graph, by name. */
export function declareParameters(b: Builder, model: Model): ReadonlyMap<string, Value> {
  return new Map(model.parameters.map(({ name, shape }) => [name, b.parameter(name, shape)]));
}

/** Inputs, parameters, moments → `loss` and `next.…` of each parameter and moment. */
export function stepGraph(options: StepGraphOptions): Graph {
  const b = new Builder();
  const { parameters, loss } = forwardAndLoss(b, options);
  const scalars = { stepSize: b.input(names.stepSize, []), correction: b.input(names.correction, []) };
  const gradients = differentiate(b, loss, [...parameters.values()]);
  b.output(names.loss, loss);
  for (const [i, [name, w]] of [...parameters].entries()) {
    const state = { w, m: b.input(names.m(name), w.shape), v: b.input(names.v(name), w.shape) };
    const next = adamStep(b, state, gradients[i]!, scalars, options.optimiser);
    b.output(names.next(name), next.w);
    b.output(names.next(names.m(name)), next.m);
    b.output(names.next(names.v(name)), next.v);
  }
  return b.build();
}

/** Inputs, parameters → `loss` and `gradient.…` of each parameter: what a step would use, for tests and for analysis. */
export function gradientGraph(options: Omit<StepGraphOptions, 'optimiser'>): Graph {
  const b = new Builder();
  const { parameters, loss } = forwardAndLoss(b, options);
  const gradients = differentiate(b, loss, [...parameters.values()]);
  b.output(names.loss, loss);
  for (const [i, name] of [...parameters.keys()].entries()) b.output(names.gradient(name), gradients[i]!);
  return b.build();
}

function forwardAndLoss(
  b: Builder,
  { model, loss, inputShape, labelShape, proximal }: Omit<StepGraphOptions, 'optimiser'>,
) {
  const image = b.input(names.image, inputShape);
  const label = b.input(names.label, labelShape);
  const parameters = declareParameters(b, model);
  const masks = new Map(
    model.dropouts.map(({ name, channels }) => [name, b.input(names.mask(name), [inputShape[0]!, channels])]),
  );
  const dataLoss = diceLoss(b, model.build({ b, image, parameters, masks }), label, loss);
  if (!proximal) return { parameters, loss: dataLoss };
  const pairs = [...parameters].map(([name, w]) => [w, b.input(names.reference(name), w.shape)] as const);
  return { parameters, loss: b.add(dataLoss, proximalTerm(b, b.input(names.mu, []), pairs)) };
}

/** Image → `logits`, without dropout. */
export function inferenceGraph(model: Model, inputShape: Shape): Graph {
  const b = new Builder();
  const image = b.input(names.image, inputShape);
  const parameters = declareParameters(b, model);
  b.output('logits', model.build({ b, image, parameters, masks: new Map() }));
  return b.build();
}
