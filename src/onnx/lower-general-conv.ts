/**
 * Convolution and its input gradient for any stride, padding, dilation and number of groups.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { plainConv } from './lower-conv';
import { productIsStable } from './partition';
import { webGpuForm } from './webgpu-conv';
import type { OnnxWriter } from './writer';

export function lowerGeneralConv(
  w: OnnxWriter,
  node: NodeOf<'Conv'>,
  [x, weight]: readonly string[],
): readonly string[] {
  const { stride, padding, dilation, groups } = node.attrs;
  const [shape, weightShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const conv = { x: x!, shape, weight: weight!, weightShape, groups, stride, dilation, begin: padding, end: padding };
  return [groupedConv(w, { ...conv, out: node.outputs[0]!.shape.slice(2) })];
}

export interface GroupedConv {
  readonly x: string;
  readonly shape: Shape;
  readonly weight: string;
  readonly weightShape: Shape;
  readonly groups: number;
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** Spatial lengths of the output. */
  readonly out: readonly number[];
}

/**
 * Conv, in a form whose bits do not depend on the number of threads. The provider gives each thread whole groups, unless a
 * group has more output channels than positions: then zeros at the end of the last axis add positions, cut off again.
 */
function groupedConv(w: OnnxWriter, given: GroupedConv): string {
  const conv = w.target.device === 'webgpu' ? webGpuForm(w, given) : given;
  const { x, weight, weightShape, groups, stride, dilation, begin, end, out } = conv;
  const kernel = weightShape.slice(2);
  const positions = sizeOf(out);
  const attributes = { kernel_shape: kernel, strides: stride, dilations: dilation };
  if (groups === 1) return plainConv(w, { ...conv, positions }, { ...attributes, pads: [...begin, ...end] });
  const outs = weightShape[0]! / groups;
  const stable = positions > 1 && productIsStable(outs, positions, sizeOf(weightShape.slice(1)));
  if (outs <= positions || stable) {
    return w.node('Conv', [x, weight], { ...attributes, group: groups, pads: [...begin, ...end] });
  }
  const last = out.length - 1;
  const length = Math.ceil((outs * out[last]!) / positions);
  const wider = end.map((p, i) => (i === last ? p + (length - out[last]!) * stride[last]! : p));
  const wide = w.node('Conv', [x, weight], { ...attributes, group: groups, pads: [...begin, ...wider] });
  return w.slice(wide, [last + 2], [0], [out[last]!]);
}

/** One spatial axis of an input gradient: see {@link lowerGeneralConvInputGrad}. */
interface PhaseAxis {
  readonly stride: number;
  /** Taps of the kernel, with the zeros between them where both stride and dilation are above 1. */
  readonly kernel: number;
  /** Residues that meet a tap: the first ones. */
  readonly phases: number;
  /** Taps that each of them meets. */
  readonly taps: number;
  /** Distance of those taps on dy. */
  readonly dilation: number;
  /** First position of each phase, and their number. */
  readonly first: number;
  readonly count: number;
  /** Where the wanted positions begin among stride · count ones. */
  readonly offset: number;
}

function phaseAxis(n: number, kernel: number, stride: number, padding: number, dilation: number): PhaseAxis {
  const spread = stride > 1 ? dilation * (kernel - 1) + 1 : kernel;
  const first = Math.floor(padding / stride);
  return {
    stride,
    kernel: spread,
    phases: Math.min(spread, stride),
    taps: Math.ceil(spread / stride),
    dilation: stride > 1 ? 1 : dilation,
    first,
    count: Math.floor((n - 1 + padding) / stride) + 1 - first,
    offset: padding - first * stride,
  };
}

/**
 * The runtime's ConvTranspose is slow and its bits depend on threads, so the gradient is a Conv. Position i of x with
 * i + p = s·q + φ is met by the taps t = s·u + φ only: dx[i] = Σᵤ w[s·u + φ]·dy[q − u]. For each residue φ that is a
 * convolution of dy with every s-th tap, turned. All of them are computed as channels of one convolution, and interleaved.
 * A kernel as long as its stride so becomes a pointwise convolution.
 */
export function lowerGeneralConvInputGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvInputGrad'>,
  [dy, weight]: readonly string[],
): readonly string[] {
  const { stride, padding, dilation, groups, spatial } = node.attrs;
  const [shape, weightShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const axes = spatial.map((n, i) => phaseAxis(n, weightShape[i + 2]!, stride[i]!, padding[i]!, dilation[i]!));
  const phases = axes.map((axis) => axis.phases);
  const ins = node.outputs[0]!.shape[1]!;
  const begin = axes.map((axis) => axis.dilation * (axis.taps - 1) - axis.first);
  const end = axes.map((axis, i) => axis.first + axis.count - shape[i + 2]!);
  const cropped = cropNegative(w, dy!, shape, begin, end);
  const conv = {
    x: cropped.x,
    shape: cropped.shape,
    weight: phaseWeights(w, weight!, weightShape, dilation, groups, axes),
    weightShape: [ins * sizeOf(phases), weightShape[0]! / groups, ...axes.map((axis) => axis.taps)],
    groups,
    stride: axes.map(() => 1),
    dilation: axes.map((axis) => axis.dilation),
    begin: begin.map((p) => Math.max(p, 0)),
    end: end.map((p) => Math.max(p, 0)),
    out: axes.map((axis) => axis.count),
  };
  return [interleave(w, groupedConv(w, conv), [shape[0]!, ins, ...spatial], axes)];
}

/** x without what negative padding cuts off. */
function cropNegative(
  w: OnnxWriter,
  x: string,
  shape: Shape,
  begin: readonly number[],
  end: readonly number[],
): { readonly x: string; readonly shape: Shape } {
  const cut = begin.flatMap((b, i) => (b < 0 || end[i]! < 0 ? [i] : []));
  if (cut.length === 0) return { x, shape };
  const from = cut.map((i) => Math.max(-begin[i]!, 0));
  const to = cut.map((i) => shape[i + 2]! - Math.max(-end[i]!, 0));
  const axes = cut.map((i) => i + 2);
  const lengths = shape.map((n, axis) =>
    axes.includes(axis) ? to[axes.indexOf(axis)]! - from[axes.indexOf(axis)]! : n,
  );
  return { x: w.slice(x, axes, from, to), shape: lengths };
}

/** `[I·phases, O/groups, ...taps]` from `[O, I/groups, ...kernel]`: the taps of each phase, turned. */
function phaseWeights(
  w: OnnxWriter,
  weight: string,
  shape: Shape,
  dilation: readonly number[],
  groups: number,
  axes: readonly PhaseAxis[],
): string {
  const [outs, ins] = [shape[0]! / groups, shape[1]!];
  const spread = spreadTaps(w, weight, shape, dilation, axes);
  const whole = axes.map((axis) => axis.taps * axis.phases);
  const missing = axes.map((axis, i) => whole[i]! - axis.kernel);
  const zeros = axes.map(() => 0);
  const filled = missing.some((n) => n > 0)
    ? w.node('Pad', [spread, w.ints([0, 0, ...zeros, 0, 0, ...missing])])
    : spread;
  const split = w.reshape(filled, [groups, outs, ins, ...axes.flatMap((axis) => [axis.taps, axis.phases])]);
  const turning = axes.flatMap((axis, i) => (axis.taps > 1 ? [3 + 2 * i] : []));
  const back = turning.map(() => -1);
  const turned =
    turning.length === 0
      ? split
      : w.slice(
          split,
          turning,
          back,
          axes.flatMap(({ taps }) => (taps > 1 ? [-taps - 1] : [])),
          back,
        );
  const order = [0, 2, ...axes.map((_, i) => 4 + 2 * i), 1, ...axes.map((_, i) => 3 + 2 * i)];
  const channels = groups * ins * sizeOf(axes.map((axis) => axis.phases));
  return w.reshape(w.transpose(turned, order), [channels, outs, ...axes.map((axis) => axis.taps)]);
}

/** The weight with zeros between its taps along the axes whose kernel grew by dilation. */
function spreadTaps(
  w: OnnxWriter,
  weight: string,
  shape: Shape,
  dilation: readonly number[],
  axes: readonly PhaseAxis[],
): string {
  const grows = axes.map((axis, i) => axis.kernel !== shape[i + 2]!);
  if (!grows.includes(true)) return weight;
  const gaps = axes.map((_, i) => (grows[i] ? dilation[i]! : 1));
  const apart = w.reshape(weight, [shape[0]! * shape[1]!, ...shape.slice(2).flatMap((k) => [k, 1])]);
  const zeros = new Array<number>(1 + 2 * axes.length).fill(0);
  const filled = w.node('Pad', [apart, w.ints([...zeros, 0, ...gaps.flatMap((gap) => [0, gap - 1])])]);
  const long = w.reshape(filled, [...shape.slice(0, 2), ...gaps.map((gap, i) => gap * shape[i + 2]!)]);
  const spatial = axes.map((_, i) => i + 2);
  return w.slice(
    long,
    spatial,
    spatial.map(() => 0),
    axes.map((axis) => axis.kernel),
  );
}

/** `shape` from phases `[N, I·phases, ...counts]`: position s·q + φ is that of phase φ, and zero where no tap meets it. */
function interleave(w: OnnxWriter, x: string, shape: Shape, axes: readonly PhaseAxis[]): string {
  const rank = axes.length;
  const [samples, channels, ...spatial] = shape as [number, number, ...number[]];
  const phases = axes.map((axis) => axis.phases);
  const counts = axes.map((axis) => axis.count);
  const order = [0, ...axes.flatMap((_, i) => [1 + rank + i, 1 + i])];
  const mixed = sizeOf(phases) === 1 ? x : w.transpose(w.reshape(x, [samples * channels, ...phases, ...counts]), order);
  const empty = axes.map((axis) => axis.stride - axis.phases);
  const pads = [...new Array<number>(1 + 2 * rank).fill(0), 0, ...empty.flatMap((n) => [0, n])];
  const pairs = axes.flatMap((axis) => [axis.count, axis.phases]);
  const filled = empty.some((n) => n > 0)
    ? w.node('Pad', [w.reshape(mixed, [samples * channels, ...pairs]), w.ints(pads)])
    : mixed;
  const whole = axes.map((axis) => axis.stride * axis.count);
  const result = w.reshape(filled, [samples, channels, ...whole]);
  const cut = axes.flatMap((axis, i) => (axis.offset > 0 || whole[i] !== spatial[i] ? [i] : []));
  if (cut.length === 0) return result;
  return w.slice(
    result,
    cut.map((i) => i + 2),
    cut.map((i) => axes[i]!.offset),
    cut.map((i) => axes[i]!.offset + spatial[i]!),
  );
}
