/**
 * What a lowering for inputs of any size is.
 *
 * @module
 */
import type { NodeOf } from '../../graph/graph';
import type { Op } from '../../graph/ops';
import type { OnnxWriter } from '../writer';

/**
 * Writes a node of an inference network in operators of opset 17 and gives the name of its first output. Batch and spatial
 * lengths are free: the rule may read channels and ranks from the node's shapes, never those lengths.
 */
export type FreeRule<K extends Op> = (w: OnnxWriter, node: NodeOf<K>, inputs: readonly string[]) => string;

/** Rules for the operators of a family that inference can need and free sizes allow. */
export type FreeRules<K extends Op> = { readonly [P in K]?: FreeRule<P> };

/** The operator of the standard that computes the same from the same inputs, without attributes. */
export const directly =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): string =>
    w.node(opType, inputs);
