/**
 * Comparisons give 0 or 1 as floats in the graph and booleans in the runtime. The writer keeps both, so that a choice
 * made by a comparison needs no conversion; what is not read is not written.
 *
 * @module
 */
import type { OnnxWriter } from './writer';

/** Numbers of element types in ONNX files. */
const FLOAT = 1;
const BOOL = 9;

/** A boolean as 0 or 1. */
export function asNumber(w: OnnxWriter, truth: string): string {
  return w.node('Cast', [truth], { to: FLOAT });
}

/** A comparison of the standard, as 0 or 1. */
export const compare =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): readonly string[] => [asNumber(w, w.node(opType, inputs))];

/** (condition, a, b) → a where the condition is not 0, else b. */
export function select(w: OnnxWriter, _: unknown, [condition, a, b]: readonly string[]): readonly string[] {
  const source = w.producer(condition!);
  const isComparison = source?.opType === 'Cast' && source.attributes.to === FLOAT;
  const truth = isComparison ? source.inputs[0]! : w.node('Cast', [condition!], { to: BOOL });
  return [w.node('Where', [truth, a!, b!])];
}
