/**
 * What a lowering for inputs of any size is.
 *
 * @module
 */
import { ConfigError } from '../../errors';
import type { NodeOf, Value } from '../../graph/graph';
import type { Op } from '../../graph/ops';
import type { OnnxRule } from '../rules/rule';
import type { OnnxWriter } from '../writer';

/** Whether a value depends on the network's input, so that its batch and spatial lengths are free. */
export type Varies = (value: Value) => boolean;

/**
 * Writes a node of an inference network in operators of opset 17 and gives the name of its first output. Batch and spatial
 * lengths of what varies are free: the rule may read channels and ranks from the node's shapes, never those lengths.
 *
 * @throws ConfigError when the node cannot be said without those lengths
 */
export type FreeRule<K extends Op> = (
  w: OnnxWriter,
  node: NodeOf<K>,
  inputs: readonly string[],
  varies: Varies,
) => string;

/** Rules for the operators of a family that inference can need and free sizes allow. */
export type FreeRules<K extends Op> = { readonly [P in K]?: FreeRule<P> };

/** @throws ConfigError unless the condition holds */
export function requireFree(condition: boolean, op: Op, what: string): void {
  if (!condition) throw new ConfigError(`${op} cannot be exported for inputs of any size: ${what}.`);
}

/** An end beyond every length: the runtime takes it as "to the last". */
export const TO_THE_LAST = 2 ** 31 - 1;

/** Every axis but the channels has a free length. */
export const isFreeAxis = (axis: number): boolean => axis !== 1;

/** A lowering for fixed sizes that holds for free ones too, and is in opset 17. */
export const asFixed =
  <K extends Op>(rule: OnnxRule<K>): FreeRule<K> =>
  (w, node, inputs) =>
    rule(w, node, inputs)[0]!;

/** The operator of the standard that computes the same from the same inputs, without attributes. */
export const directly =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): string =>
    w.node(opType, inputs);
