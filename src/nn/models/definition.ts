/**
 * What a model is to the rest of the engine: a list of parameters, and a function that writes graph.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { Shape } from '../../tensor/tensor';

/** How a parameter starts: a constant, or PyTorch's default for layers with `fanIn` inputs, U(−1/√fanIn, 1/√fanIn). */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly fanIn: number };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
}

/** A place where whole channels are dropped during training. */
export interface ChannelDropout {
  readonly name: string;
  readonly channels: number;
  /** Chance that a channel is dropped, (0, 1). */
  readonly probability: number;
}

export interface Forward {
  readonly b: Builder;
  /** `[N, inChannels, ...spatial]`, each spatial length a multiple of `spatialDivisor`. */
  readonly image: Value;
  readonly parameters: ReadonlyMap<string, Value>;
  /** For training, the factors `[N, channels]` of each channel dropout; none at evaluation. */
  readonly masks: ReadonlyMap<string, Value>;
}

export interface Model {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly spatialDims: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Spatial lengths must be multiples of this. */
  readonly spatialDivisor: number;
  /** In the order of the model's state. */
  readonly parameters: readonly ParameterSpec[];
  /** The names of the randomly initialised parameters in the order in which PyTorch draws them. */
  readonly drawOrder: readonly string[];
  readonly dropouts: readonly ChannelDropout[];
  /** Writes the network; gives the logits `[N, outChannels, ...spatial]`. */
  build(forward: Forward): Value;
}
