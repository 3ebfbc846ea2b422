/**
 * Writes one training step of one or several networks as one graph: applications, losses, updates, in the order in which
 * they happen.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { Builder } from '../graph/builder';
import { differentiate } from '../graph/differentiate';
import type { Graph, Value } from '../graph/graph';
import { type GradientClip, gradientClip } from '../jobs/optimiser-spec';
import type { Shape } from '../tensor/tensor';
import { parseOptions } from '../util/parse-options';
import { applyForInference, applyForTraining, declareModel, type ModelInputs, type ModelValues } from './apply-model';
import { assertImageShape } from './checks';
import { clipGradients } from './clip-gradients';
import type { DropoutSite, Model } from './models/definition';
import { ruleOf } from './optimisers/optimiser';
import { type ModelTraining, type TrainedGroup, trainedGroups } from './parameter-groups';

/** A network of a step. */
export type StepNetwork = (ModelTraining & { readonly clip?: GradientClip }) | { readonly model: Model };

/** Factors of a dropout, to be drawn for each step. */
export interface StepMask {
  readonly name: string;
  readonly shape: Shape;
  readonly probability: number;
}

/** A network as a written step uses it. */
export interface WrittenNetwork {
  readonly model: Model;
  /** What stands before the names of its tensors. */
  readonly prefix: string;
  /** The parameters that the step changes; none when it does not update the network. */
  readonly updated: readonly TrainedGroup[];
  /** Names of the float32 buffers that the step changes. */
  readonly buffers: readonly string[];
  /** How often it is applied in training. */
  readonly applications: number;
}

/** A step as a graph, and what has to be fed to it. */
export interface WrittenStep {
  readonly graph: Graph;
  readonly networks: ReadonlyMap<string, WrittenNetwork>;
  readonly masks: readonly StepMask[];
  /** Names of the scalar results. */
  readonly metrics: readonly string[];
  /** Names of the results that may be anything, also not finite. */
  readonly observed: readonly string[];
}

/** Names of a step's inputs and outputs; `prefix` is that of the network. */
export const stepNames = {
  mask: (prefix: string, site: string, application: number): string =>
    `mask.${prefix}${site}${application === 0 ? '' : `.${application}`}`,
  slot: (prefix: string, slot: string, parameter: string): string => `${slot}.${prefix}${parameter}`,
  scalar: (prefix: string, group: number, scalar: string): string => `scalar.${prefix}${group}.${scalar}`,
  next: (name: string): string => `next.${name}`,
} as const;

interface OpenNetwork {
  readonly network: StepNetwork;
  readonly prefix: string;
  readonly before: ModelValues;
  current: ModelValues;
  updated: readonly TrainedGroup[];
  applications: number;
}

export class StepWriter {
  readonly b = new Builder();
  /** Names of the tensors that `input` declared. */
  readonly ownInputs = new Set<string>();
  private readonly networks: ReadonlyMap<string, OpenNetwork>;
  private readonly masks: StepMask[] = [];
  private readonly metrics: string[] = [];
  private readonly observed: string[] = [];
  /** Parameters after their update: what made them is no part of a later gradient. */
  private readonly replaced: Value[] = [];

  /** @param networks by name; the tensors of network `name` are called `name/…`, those of network '' have their own names */
  constructor(networks: Readonly<Record<string, StepNetwork>>) {
    const opened = Object.entries(networks).map(([name, network]) => {
      const prefix = name === '' ? '' : `${name}/`;
      const before = declareModel(this.b, network.model, prefix);
      return [name, { network, prefix, before, current: before, updated: [], applications: 0 }] as const;
    });
    this.networks = new Map(opened);
  }

  /** A tensor fed to every step. @throws ConfigError when the name is taken */
  input(name: string, shape: Shape): Value {
    this.ownInputs.add(name);
    return this.b.input(name, shape);
  }

  /** Names of the parameters that an update of the network changes. @throws ConfigError when it has no optimiser */
  trainedNames(network: string): readonly string[] {
    return this.groups(network).flatMap(({ parameters }) => parameters.map(({ name }) => name));
  }

  /** The network's parameters as they are at this point of the step, by name. */
  parameters(network: string): ReadonlyMap<string, Value> {
    return this.open(network).current.parameters;
  }

  /**
   * Applies a network in training: statistics of the batch, which move the running ones, and dropout.
   *
   * @throws ShapeError when the network does not take images of this shape
   */
  apply(network: string, inputs: ModelInputs): Value {
    const open = this.open(network);
    const application = open.applications++;
    const { model } = open.network;
    assertImageShape(model, inputs.image.shape, network);
    const { result, buffers } = applyForTraining(this.b, model, open.current, inputs, (site, shape) =>
      this.mask(open.prefix, site, application, shape),
    );
    open.current = { ...open.current, buffers };
    return result;
  }

  /** Applies a network as it is used: running statistics, no dropout. A teacher, for instance. @throws ShapeError as `apply` */
  infer(network: string, inputs: ModelInputs): Value {
    const open = this.open(network);
    assertImageShape(open.network.model, inputs.image.shape, network);
    return applyForInference(this.b, open.network.model, open.current, inputs);
  }

  /** The gradients of a loss by the trained parameters of a network, not clipped, by name. */
  gradients(network: string, loss: Value): ReadonlyMap<string, Value> {
    const { current } = this.open(network);
    const names = this.trainedNames(network);
    const wrt = names.map((name) => current.parameters.get(name)!);
    const found = differentiate(this.b, loss, wrt, { constants: this.replaced });
    return new Map(names.map((name, i) => [name, found[i]!]));
  }

  /**
   * One optimiser step of a network down the gradient of a loss. What is written after it sees the new parameters.
   *
   * @throws ConfigError when the network has no optimiser, or was updated in this step already
   */
  update(network: string, loss: Value): void {
    this.updateBy(network, this.gradients(network, loss));
  }

  /** One optimiser step of a network by given gradients, one for each trained parameter. @throws ConfigError as `update` */
  updateBy(network: string, gradients: ReadonlyMap<string, Value>): void {
    const open = this.open(network);
    const groups = this.groups(network);
    if (open.updated.length > 0)
      throw new ConfigError(`A step updates network '${network}' once, but was asked twice.`);
    const given = 'clip' in open.network ? open.network.clip : undefined;
    const clip = given && parseOptions('the gradient clip', gradientClip, given);
    const names = [...gradients.keys()];
    const clipped = clip ? clipGradients(this.b, [...gradients.values()], clip) : [...gradients.values()];
    const limited = new Map(names.map((name, i) => [name, clipped[i]!]));
    const parameters = new Map(open.current.parameters);
    for (const [i, group] of groups.entries()) this.updateGroup(open, i, group, limited, parameters);
    open.updated = groups;
    open.current = { ...open.current, parameters };
  }

  /** Makes a number of the step a result of it. */
  report(name: string, value: Value): void {
    this.b.output(name, this.b.reshape(value, []));
    this.metrics.push(name);
  }

  /** Makes a value a result that nothing depends on: a step is good whatever it is, NaN and infinity included. */
  observe(name: string, value: Value): void {
    this.b.output(name, value);
    this.observed.push(name);
  }

  /** The written step. */
  finish(): WrittenStep {
    for (const { prefix, before, current } of this.networks.values()) {
      for (const [name, value] of current.buffers) {
        if (value !== before.buffers.get(name)) this.b.output(stepNames.next(`${prefix}${name}`), value);
      }
    }
    const graph = this.b.build();
    const networks = [...this.networks].map(([name, { network, prefix, current, before, updated, applications }]) => {
      const buffers = [...current.buffers.keys()].filter(
        (buffer) => current.buffers.get(buffer) !== before.buffers.get(buffer),
      );
      return [name, { model: network.model, prefix, updated, buffers, applications }] as const;
    });
    return { graph, networks: new Map(networks), masks: this.masks, metrics: this.metrics, observed: this.observed };
  }

  private updateGroup(
    { prefix, current }: OpenNetwork,
    index: number,
    { settings, parameters: specs }: TrainedGroup,
    gradients: ReadonlyMap<string, Value>,
    next: Map<string, Value>,
  ): void {
    const { b } = this;
    const rule = ruleOf(settings);
    const scalars = Object.keys(rule.scalars(settings, 0, 1)).map(
      (name) => [name, b.input(stepNames.scalar(prefix, index, name), [])] as const,
    );
    for (const { name, shape } of specs) {
      const slot = (key: string): string => stepNames.slot(prefix, key, name);
      const slots = Object.fromEntries(rule.slots(settings).map((key) => [key, b.input(slot(key), shape)]));
      const state = { w: current.parameters.get(name)!, slots };
      const after = rule.step(b, state, gradients.get(name)!, Object.fromEntries(scalars), settings);
      b.output(stepNames.next(`${prefix}${name}`), after.w);
      for (const [key, value] of Object.entries(after.slots)) b.output(stepNames.next(slot(key)), value);
      next.set(name, after.w);
      this.replaced.push(after.w);
    }
  }

  private mask(prefix: string, site: DropoutSite, application: number, shape: Shape): Value {
    const name = stepNames.mask(prefix, site.name, application);
    this.masks.push({ name, shape, probability: site.probability });
    return this.b.input(name, shape);
  }

  private groups(network: string): readonly TrainedGroup[] {
    const { network: options } = this.open(network);
    if (!('optimiser' in options))
      throw new ConfigError(`The network '${network}' has no optimiser, so it is not trained.`);
    return trainedGroups(options);
  }

  private open(network: string): OpenNetwork {
    const found = this.networks.get(network);
    if (found) return found;
    throw new ConfigError(`The step has no network '${network}'; it has: ${[...this.networks.keys()].join(', ')}.`);
  }
}
