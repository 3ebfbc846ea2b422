/**
 * What a model is to the rest of the engine: a list of parameters, and a function that writes graph.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { Shape } from '../../tensor/tensor';
import type { PerAxis } from '../../util/per-axis';

/**
 * How a parameter starts: a constant; PyTorch's default for layers with `fanIn` inputs, U(−1/√fanIn, 1/√fanIn); or a
 * normal distribution, of which each drawn row of the first axis may stand several times.
 */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly fanIn: number }
  | {
      readonly kind: 'normal';
      readonly mean: number;
      readonly deviation: number;
      /** How often each row stands, one after the other: so many fewer are drawn. @default 1 */
      readonly copies?: number;
    };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
  /** Whether it is scale or shift of a normalisation layer. @default false */
  readonly normalisation?: true;
}

/** One drawing of a whole parameter; without a name, of one number that is used for nothing. */
export type Draw = Pick<ParameterSpec, 'name' | 'initialiser'>;

/**
 * State that no gradient trains, as PyTorch's buffers. `float32` buffers are values of the graph: a step may replace
 * them ({@link Forward.setBuffer}), inference reads them. `int64` buffers are counters of shape `[]` that never enter the
 * graph: each application of the model in training adds 1 (`num_batches_tracked`).
 */
export interface BufferSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: 'float32' | 'int64';
  /** The value of every element before the first step. */
  readonly initial: number;
  /** Whether it belongs to a normalisation layer. @default false */
  readonly normalisation?: true;
}

/** Where activations are dropped in training. */
export interface DropoutSite {
  /** Unique in the model. */
  readonly name: string;
  /** Chance to be dropped, [0, 1). */
  readonly probability: number;
  /** What is dropped: whole channels of a sample, or single elements. */
  readonly per: 'channel' | 'element';
}

/** A further input of a model beside the image: one row of numbers a sample, such as a code of its site. */
export interface ConditionSpec {
  readonly name: string;
  readonly features: number;
}

/** What a model writes its graph with. */
export interface Forward {
  readonly b: Builder;
  /** `[N, inChannels, ...spatial]`, each spatial length a multiple of its axis' `spatialDivisor`. */
  readonly image: Value;
  /** `[N, features]` each, by name. */
  readonly conditions: ReadonlyMap<string, Value>;
  readonly parameters: ReadonlyMap<string, Value>;
  /** The float32 buffers as they are before this application. */
  readonly buffers: ReadonlyMap<string, Value>;
  /** Whether the network is being trained: normalisation by the batch, dropout. */
  readonly training: boolean;
  /** Hands back the next value of a float32 buffer, of its shape. In training only; one that is never set stays as it is. */
  setBuffer(name: string, next: Value): void;
  /** x with activations dropped and the others scaled up, in training; x itself at evaluation. */
  dropout(x: Value, site: DropoutSite): Value;
}

export interface Model {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly spatialDims: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Spatial lengths must be multiples of this: one number for all axes, or one for each. */
  readonly spatialDivisor: PerAxis;
  /** The network exported for free sizes takes multiples of this. @default spatialDivisor */
  readonly freeDivisor?: PerAxis;
  /** In the order of the model's state. */
  readonly parameters: readonly ParameterSpec[];
  /** In the order of the model's state; absent when the model has none. */
  readonly buffers?: readonly BufferSpec[];
  /** The names of all parameters and buffers as `state_dict()` lists them; absent when there are no buffers. */
  readonly stateOrder?: readonly string[];
  readonly conditions?: readonly ConditionSpec[];
  /** Results in training, where not 1: stacked on axis 1, the best first, all of one size; inference gives that one. */
  readonly trainingOutputs?: number;
  /** Further names under which the original's files list a tensor, and the tensor's own name. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** What construction draws, in PyTorch's order. A later draw of a parameter replaces an earlier one. */
  readonly draws: readonly Draw[];
  /** Writes the network; gives the logits `[N, outChannels, ...spatial]`, see `trainingOutputs`. */
  build(forward: Forward): Value;
}
