/**
 * What a lowering is.
 *
 * @module
 */
import type { NodeOf } from '../../graph/graph';
import type { Op } from '../../graph/ops';
import type { OnnxWriter } from '../writer';

/** Writes a node, given the names of its inputs; gives the names of its outputs. */
export type OnnxRule<K extends Op> = (w: OnnxWriter, node: NodeOf<K>, inputs: readonly string[]) => readonly string[];

/** A lowering for every operator of a family. */
export type OnnxRules<K extends Op> = { readonly [P in K]: OnnxRule<P> };

/** The operator of the standard that computes the same from the same inputs, without attributes. */
export const direct =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): readonly string[] => [w.node(opType, inputs)];
