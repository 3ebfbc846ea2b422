/**
 * Convolutions for the WebGPU provider of onnxruntime 1.30, whose Conv gives wrong numbers for some shapes and refuses
 * others. Each is said in another shape that it computes rightly: by zeros put to its operands, or weights written out
 * over all groups. Found by comparing random convolutions with the CPU's; `webgpu-conv.test.ts` holds them.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import type { ConvWindows } from './lower-conv';
import type { OnnxWriter } from './writer';

export interface WebGpuConv extends ConvWindows {
  readonly x: string;
  readonly shape: Shape;
  readonly weight: string;
  readonly weightShape: Shape;
  readonly groups: number;
}

export function webGpuConv(w: OnnxWriter, conv: WebGpuConv): string {
  const { x, weight, weightShape, groups, strides, dilations, pads } = withEvenChannels(
    w,
    withEndPadded(w, withGroupsWrittenOut(w, conv)),
  );
  const attributes = { kernel_shape: weightShape.slice(2), strides, dilations, pads, group: groups };
  return w.node('Conv', [x, weight], attributes);
}

/**
 * 3-D convolutions have no groups there. In others, results are computed in runs of up to four channels, which takes the
 * input of the run's first group for all of them.
 */
function withGroupsWrittenOut(w: OnnxWriter, conv: WebGpuConv): WebGpuConv {
  const { weight, weightShape, groups } = conv;
  const [outs, ins, ...kernel] = weightShape as [number, number, ...number[]];
  const share = outs / groups;
  const run = [4, 2, 1].find((n) => outs % n === 0)!;
  if (groups === 1 || (kernel.length < 3 && (share < 4 || share % run === 0))) return conv;
  const own = w.reshape(weight, [groups, share, 1, ins, sizeOf(kernel)]);
  const sameGroup = Array.from({ length: groups ** 2 }, (_, i) => Number(i % (groups + 1) === 0));
  const all = w.node('Mul', [own, w.floats(sameGroup, [groups, 1, groups, 1, 1])]);
  const wide = [outs, ins * groups, ...kernel];
  return { ...conv, weight: w.reshape(all, wide), weightShape: wide, groups: 1 };
}

/**
 * Where no zeros stand before the axes, those after them are overlooked if the kernel is one point or as long as the input:
 * such a convolution is computed as a matrix product.
 */
function withEndPadded(w: OnnxWriter, conv: WebGpuConv): WebGpuConv {
  const { x, shape, weightShape, pads } = conv;
  const [lengths, kernel] = [shape.slice(2), weightShape.slice(2)];
  const rank = kernel.length;
  const asProduct = kernel.every((k) => k === 1) || kernel.every((k, i) => k === lengths[i]);
  const onlyAfter = pads.slice(0, rank).every((p) => p === 0) && pads.some((p) => p > 0);
  if (rank === 3 || !asProduct || !onlyAfter) return conv;
  const end = pads.slice(rank);
  return {
    ...conv,
    x: w.node('Pad', [x, w.ints([0, 0, ...pads.slice(0, rank), 0, 0, ...end])]),
    shape: [...shape.slice(0, 2), ...lengths.map((n, i) => n + end[i]!)],
    pads: pads.map(() => 0),
  };
}

/** Numbers of channels that three divides and four does not are read in threes, wrongly but for three channels. */
function withEvenChannels(w: OnnxWriter, conv: WebGpuConv): WebGpuConv {
  const { x, shape, weight, weightShape, groups, strides, pads } = conv;
  const [outs, ins, ...kernel] = weightShape as [number, number, ...number[]];
  const product =
    kernel.every((k) => k === 1) && [...strides, ...pads].every((n, i) => n === (i < kernel.length ? 1 : 0));
  const inThrees = kernel.length < 3 && groups === 1 && ins > 3 && ins % 3 === 0 && ins % 4 !== 0 && outs % 4 === 0;
  if (!inThrees || product) return conv;
  const oneMore = (value: string): string => {
    const zeros = kernel.map(() => 0);
    return w.node('Pad', [value, w.ints([0, 0, ...zeros, 0, 1, ...zeros])]);
  };
  return {
    ...conv,
    x: oneMore(x),
    shape: [shape[0]!, ins + 1, ...shape.slice(2)],
    weight: oneMore(weight),
    weightShape: [outs, ins + 1, ...kernel],
  };
}
