/**
 * Margins and their adjoint.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { PadAttrs } from '../graph/ops/layout';
import type { OnnxWriter } from './writer';

const modes = { zero: 'constant', reflect: 'reflect', edge: 'edge' } as const;

export function lowerPad(w: OnnxWriter, node: NodeOf<'Pad'>, [x]: readonly string[]): readonly string[] {
  const { mode, begin, end } = node.attrs;
  return [w.node('Pad', [x!, w.ints([...begin, ...end])], { mode: modes[mode] })];
}

/** Axis by axis, each margin is added to what it was copied from. */
export function lowerPadGrad(w: OnnxWriter, node: NodeOf<'PadGrad'>, [g]: readonly string[]): readonly string[] {
  const { mode, begin, end } = node.attrs;
  const shape = node.outputs[0]!.shape;
  const padded = shape.flatMap((_, i) => (begin[i]! + end[i]! > 0 ? [i] : []));
  if (padded.length === 0) return [g!];
  if (mode === 'zero') {
    const from = padded.map((axis) => begin[axis]!);
    const to = padded.map((axis) => begin[axis]! + shape[axis]!);
    return [w.slice(g!, padded, from, to)];
  }
  const fold = (x: string, axis: number): string =>
    foldMargins(w, x, mode, { axis, rank: shape.length, begin: begin[axis]!, end: end[axis]!, length: shape[axis]! });
  return [padded.reduce(fold, g!)];
}

interface Margins {
  readonly axis: number;
  readonly rank: number;
  readonly begin: number;
  readonly end: number;
  /** Of the axis without its margins. */
  readonly length: number;
}

function foldMargins(w: OnnxWriter, x: string, mode: Exclude<PadAttrs['mode'], 'zero'>, margins: Margins): string {
  if (mode === 'edge') return foldEdges(w, x, margins);
  // What is mirrored on one side may not meet what is mirrored on the other if the axis is to be put together of parts.
  return margins.begin + margins.end + 2 <= margins.length ? foldMirrored(w, x, margins) : addMirrored(w, x, margins);
}

/** The parts that a run of positions `[from, to)` of the padded axis gives; none for an empty run. */
function run(w: OnnxWriter, x: string, { axis }: Margins, from: number, to: number): readonly string[] {
  return to > from ? [w.slice(x, [axis], [from], [to])] : [];
}

/** Positions `[from, to)` of the padded axis, backwards: cut out first, since WebGPU only turns whole axes rightly. */
function backwards(w: OnnxWriter, x: string, { axis }: Margins, from: number, to: number): string {
  const part = w.slice(x, [axis], [from], [to]);
  // −1 would be the last position: below all of them means "before the first".
  return w.slice(part, [axis], [-1], [from - to - 1], [-1]);
}

function join(w: OnnxWriter, parts: readonly string[], axis: number): string {
  return parts.length === 1 ? parts[0]! : w.node('Concat', parts, { axis });
}

/** The border elements get the sums of their copies; the rest stays. */
function foldEdges(w: OnnxWriter, x: string, margins: Margins): string {
  const { axis, begin, end, length } = margins;
  const sum = (from: number, to: number): string => {
    const elements = Array.from({ length: to - from }, (_, i) => w.slice(x, [axis], [from + i], [from + i + 1]));
    return elements.reduce((total, element) => w.node('Add', [total, element]));
  };
  if (length === 1) return sum(0, begin + 1 + end);
  const inner = run(w, x, margins, begin + 1, begin + length - 1);
  return join(w, [sum(0, begin + 1), ...inner, sum(begin + length - 1, begin + length + end)], axis);
}

/** The axis put together of five parts, of which the second and the fourth get the mirrored margins. */
function foldMirrored(w: OnnxWriter, x: string, margins: Margins): string {
  const { axis, begin, end, length } = margins;
  const last = begin + length - 1;
  const plus = (from: number, to: number, marginFrom: number, marginTo: number): readonly string[] =>
    run(w, x, margins, from, to).map((part) => w.node('Add', [part, backwards(w, x, margins, marginFrom, marginTo)]));
  const first = begin > 0 ? run(w, x, margins, begin, begin + 1) : [];
  const middle = run(w, x, margins, begin > 0 ? 2 * begin + 1 : 0, end > 0 ? last - end : last + 1);
  const final = end > 0 ? run(w, x, margins, last, last + 1) : [];
  const parts = [
    ...first,
    ...plus(begin + 1, 2 * begin + 1, 0, begin),
    ...middle,
    ...plus(last - end, last, last + 1, last + 1 + end),
    ...final,
  ];
  return join(w, parts, axis);
}

/** The mirrored margins, filled up with zeros, added to the axis: for short axes. */
function addMirrored(w: OnnxWriter, x: string, margins: Margins): string {
  const { axis, rank, begin, end, length } = margins;
  const widened = (part: string, before: number, after: number): string => {
    const pads = new Array<number>(2 * rank).fill(0);
    pads[axis] = before;
    pads[rank + axis] = after;
    return w.node('Pad', [part, w.ints(pads)]);
  };
  let sum = w.slice(x, [axis], [begin], [begin + length]);
  if (begin > 0) {
    sum = w.node('Add', [sum, widened(backwards(w, x, margins, 0, begin), 1, length - 1 - begin)]);
  }
  if (end > 0) {
    const mirrored = backwards(w, x, margins, begin + length, begin + length + end);
    sum = w.node('Add', [sum, widened(mirrored, length - 1 - end, 1)]);
  }
  return sum;
}
