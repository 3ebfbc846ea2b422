/**
 * The graph: nodes in single static assignment form, with static shapes.
 *
 * @module
 */
import type { Shape } from '../tensor/tensor';
import type { Op, Ops } from './ops';

/** One tensor of the graph, written once: by a node, or from outside. */
export interface Value {
  readonly id: number;
  readonly dtype: 'float32';
  readonly shape: Shape;
}

export interface NodeOf<K extends Op> {
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attrs: Ops[K];
  readonly outputs: readonly Value[];
  /** Path of the model's layer that wrote it, or whose derivative it is; '' outside all layers. Says nothing of what is computed. */
  readonly layer: string;
}

/** A node of any operator, discriminated by `op`. */
export type Node = { readonly [K in Op]: NodeOf<K> }[Op];

/** A finished graph. Nodes stand in an order in which they can be run. */
export interface Graph {
  /** Fed on every run, by name. */
  readonly inputs: ReadonlyMap<string, Value>;
  /** Fed on every run too, but trained: what gradients are usually taken with respect to. */
  readonly parameters: ReadonlyMap<string, Value>;
  readonly nodes: readonly Node[];
  readonly outputs: ReadonlyMap<string, Value>;
}
