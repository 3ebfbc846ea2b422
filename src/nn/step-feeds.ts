/**
 * What goes into a run of a written step, and what comes out of it into the states.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Feed } from '../onnx/session';
import { float32, sizeOf, type Tensor, tensor } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import { feedOf, floatFeed, parameterFeeds } from './checks';
import { drawMask } from './layers/dropout';
import { ruleOf } from './optimisers/optimiser';
import { stepNames, type WrittenNetwork, type WrittenStep } from './step-writer';
import type { TrainingState } from './training-state';

/** What one step is given beside the states. */
export interface StepFeeds {
  /** The step's own inputs, by name. */
  readonly inputs: ReadonlyMap<string, Feed>;
  /** Of each updated network. */
  readonly learningRates: ReadonlyMap<string, number>;
  /** Its low 32 bits seed the dropout masks. */
  readonly dropoutSeed: number;
}

/**
 * All that is fed to a run of a written step.
 *
 * @throws ShapeError when a state does not fit; ConfigError when the learning rate of an updated network is missing
 */
export function feedsOf(
  written: WrittenStep,
  states: ReadonlyMap<string, TrainingState>,
  { inputs, learningRates, dropoutSeed }: StepFeeds,
): ReadonlyMap<string, Feed> {
  const feeds = new Map(inputs);
  for (const [name, network] of written.networks) {
    const state = states.get(name)!;
    for (const [key, feed] of stateFeeds(network, state)) feeds.set(key, feed);
    if (network.updated.length === 0) continue;
    const learningRate = requireRate(name, learningRates.get(name));
    for (const [key, feed] of updateFeeds(network, state, learningRate)) feeds.set(key, feed);
  }
  const random = new MersenneTwister(dropoutSeed);
  for (const { name, shape, probability } of written.masks) {
    feeds.set(name, { shape, data: drawMask(random, sizeOf(shape), probability) });
  }
  return feeds;
}

function* stateFeeds({ model, prefix }: WrittenNetwork, state: TrainingState): Generator<readonly [string, Feed]> {
  for (const [name, feed] of parameterFeeds(model, state.parameters)) yield [`${prefix}${name}`, feed];
  for (const { name, shape, dtype } of model.buffers ?? []) {
    if (dtype === 'float32') yield [`${prefix}${name}`, floatFeed('Buffer', name, shape, state.buffers.get(name))];
  }
}

/** @param network its name in the step; '' for the only one. @throws ConfigError unless the rate is a finite number */
function requireRate(network: string, rate: number | undefined): number {
  if (rate !== undefined && Number.isFinite(rate)) return rate;
  const [what, where] = network === '' ? ['the network', ''] : [`'${network}'`, `s.${network}`];
  throw new ConfigError(`The step updates ${what} and needs its learning rate, not ${rate}.`, {
    hint: `Give learningRate${where}, a finite number.`,
  });
}

function* updateFeeds(
  { prefix, updated }: WrittenNetwork,
  state: TrainingState,
  learningRate: number,
): Generator<readonly [string, Feed]> {
  for (const [i, { settings, learningRateFactor, parameters }] of updated.entries()) {
    const rule = ruleOf(settings);
    const scalars = rule.scalars(settings, learningRate * learningRateFactor, state.step + 1);
    for (const [name, value] of Object.entries(scalars)) {
      yield [stepNames.scalar(prefix, i, name), feedOf(name, [], Float32Array.of(value))];
    }
    for (const slot of rule.slots(settings)) {
      for (const { name, shape } of parameters) {
        const found = state.slots.get(slot)?.get(name);
        yield [stepNames.slot(prefix, slot, name), floatFeed(`The optimiser's ${slot} of`, name, shape, found)];
      }
    }
  }
}

/** Replaces in a network's state what a run of the step changed, and counts the step. */
export function advance(
  network: WrittenNetwork,
  state: TrainingState,
  results: ReadonlyMap<string, Float32Array>,
): void {
  const { model, prefix, updated, buffers, applications } = network;
  const next = (name: string): Float32Array => results.get(stepNames.next(name))!;
  for (const { settings, parameters } of updated) {
    for (const { name, shape } of parameters) {
      state.parameters.set(name, float32(shape, next(`${prefix}${name}`)));
      for (const slot of ruleOf(settings).slots(settings)) {
        state.slots.get(slot)!.set(name, float32(shape, next(stepNames.slot(prefix, slot, name))));
      }
    }
  }
  for (const { name, shape, dtype } of model.buffers ?? []) {
    if (dtype === 'int64') state.buffers.set(name, counted(state.buffers.get(name)!, applications));
    else if (buffers.includes(name)) state.buffers.set(name, float32(shape, next(`${prefix}${name}`)));
  }
  if (updated.length > 0) state.step++;
}

/** A counter after `applications` more. */
function counted({ shape, data }: Tensor, applications: number): Tensor {
  return tensor('int64', shape, BigInt64Array.from([...data].map((n) => BigInt(n) + BigInt(applications))));
}
