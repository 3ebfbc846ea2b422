/**
 * What a derivative rule is: it writes the vector–Jacobian product of one node as graph.
 *
 * @module
 */
import type { Builder } from '../builder';
import type { NodeOf, Value } from '../graph';
import type { Op } from '../ops';

/**
 * From the gradient `g` of the node's first output to those of its inputs; `undefined` where an input's gradient is zero
 * by definition.
 */
export type VjpRule<K extends Op> = (b: Builder, g: Value, node: NodeOf<K>) => readonly (Value | undefined)[];

/** Says that an operator has no derivative rule, and why. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

/** A rule for every operator of a family. */
export type VjpRules<K extends Op> = { readonly [P in K]: VjpRule<P> | NotDifferentiable };
