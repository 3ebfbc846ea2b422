/**
 * Convolutions in forms that the WebGPU provider of onnxruntime 1.30 computes.
 *
 * @module
 */
import { sizeOf } from '../tensor/tensor';
import type { GroupedConv } from './lower-general-conv';
import type { OnnxWriter } from './writer';

/** The same convolution, in a form that the provider computes. */
export function webGpuForm(w: OnnxWriter, conv: GroupedConv): GroupedConv {
  const { weightShape, groups, begin, end } = conv;
  const kernel = weightShape.slice(2);
  // Of the zeros around what it computes as a matrix product, it sees those before the axes only.
  const overlooked = kernel.every((k) => k === 1) && begin.every((p) => p === 0) && end.some((p) => p > 0);
  const seen = overlooked ? withZerosAfter(w, conv) : conv;
  // It has no groups in three dimensions.
  return groups > 1 && kernel.length === 3 ? withGroupsWrittenOut(w, seen) : seen;
}

/** The zeros after the axes as numbers of the input. */
function withZerosAfter(w: OnnxWriter, conv: GroupedConv): GroupedConv {
  const { x, shape, begin, end } = conv;
  const none = begin.map(() => 0);
  const lengths = shape.map((n, axis) => n + (end[axis - 2] ?? 0));
  return { ...conv, x: w.node('Pad', [x, w.ints([0, 0, ...none, 0, 0, ...end])]), shape: lengths, end: none };
}

/** One group over all channels: the weight with zeros for the channels of other groups. */
function withGroupsWrittenOut(w: OnnxWriter, conv: GroupedConv): GroupedConv {
  const { weight, weightShape, groups } = conv;
  const [outs, ins, ...kernel] = weightShape as [number, number, ...number[]];
  const own = w.reshape(weight, [groups, outs / groups, 1, ins, sizeOf(kernel)]);
  const sameGroup = Array.from({ length: groups ** 2 }, (_, i) => Number(i % (groups + 1) === 0));
  const all = w.node('Mul', [own, w.floats(sameGroup, [groups, 1, groups, 1, 1])]);
  const whole = [outs, ins * groups, ...kernel];
  return { ...conv, weight: w.reshape(all, whole), weightShape: whole, groups: 1 };
}
