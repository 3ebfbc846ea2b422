/**
 * Convolutions in standard ONNX operators. The runtime has no gradient operators, and its ConvTranspose is slow: the
 * input gradient is a Conv with turned weights, the weight gradient a matrix product or a Conv, whichever suits the shape.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

const spatialOf = (shape: Shape): readonly number[] => shape.slice(2);
const isPointwise = (kernel: readonly number[], padding: readonly number[], stride: readonly number[]): boolean =>
  kernel.every((k) => k === 1) && padding.every((p) => p === 0) && stride.every((s) => s === 1);

export function lowerConv(w: OnnxWriter, node: NodeOf<'Conv'>, [x, weight]: readonly string[]): readonly string[] {
  const { stride, padding } = node.attrs;
  const attributes = {
    strides: stride,
    pads: [...padding, ...padding],
    kernel_shape: spatialOf(node.inputs[1]!.shape),
  };
  return [w.node('Conv', [x!, weight!], attributes)];
}

/** The weight with input and output channels exchanged and every spatial axis reversed: `[I, O, ...kernel]`. */
function turnedWeight(w: OnnxWriter, weight: string, shape: Shape): string {
  const [outs, ins] = [shape[0]!, shape[1]!];
  const taps = sizeOf(spatialOf(shape));
  const order = [1, 0, 2];
  const exchanged = w.transpose(w.reshape(weight, [outs, ins, taps]), order);
  // All spatial axes reversed at once: the flat run of taps read backwards.
  const turned = taps === 1 ? exchanged : w.slice(exchanged, [2], [-1], [-taps - 1], [-1]);
  return w.reshape(turned, [ins, outs, ...spatialOf(shape)]);
}

export function lowerConvInputGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvInputGrad'>,
  [dy, weight]: readonly string[],
): readonly string[] {
  const { stride, padding, spatial } = node.attrs;
  const [dyShape, wShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const kernel = spatialOf(wShape);
  const turnedPadding = kernel.map((k, i) => k - 1 - padding[i]!);
  if (stride.every((s) => s === 1) && turnedPadding.every((p) => p >= 0)) {
    const pads = [...turnedPadding, ...turnedPadding];
    return [w.node('Conv', [dy!, turnedWeight(w, weight!, wShape)], { pads, kernel_shape: kernel })];
  }
  // Rows of x that no window reaches are left out by the division in Conv: they come back as output padding.
  const reached = spatialOf(dyShape).map((n, i) => (n - 1) * stride[i]! + kernel[i]! - 2 * padding[i]!);
  const attributes = {
    strides: stride,
    pads: [...padding, ...padding],
    kernel_shape: kernel,
    output_padding: spatial.map((n, i) => n - reached[i]!),
  };
  return [w.node('ConvTranspose', [dy!, weight!], attributes)];
}

export function lowerConvWeightGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvWeightGrad'>,
  [x, dy]: readonly string[],
): readonly string[] {
  const { stride, padding, kernel } = node.attrs;
  const [xShape, dyShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  if (isPointwise(kernel, padding, stride)) {
    const flat = product(w, x!, dy!, xShape, dyShape);
    return [w.reshape(flat, [dyShape[1]!, xShape[1]!, ...kernel])];
  }
  return [exchangedConv(w, node, x!, dy!)];
}

/** `[C, N·voxels]`, the channels as rows. */
function channelRows(w: OnnxWriter, x: string, shape: Shape): string {
  const voxels = sizeOf(spatialOf(shape));
  if (shape[0] === 1) return w.reshape(x, [shape[1]!, voxels]);
  const rows = w.transpose(w.reshape(x, [shape[0]!, shape[1]!, voxels]), [1, 0, 2]);
  return w.reshape(rows, [shape[1]!, shape[0]! * voxels]);
}

/** dy·xᵀ over all samples and voxels: `[O, I]`. */
function product(w: OnnxWriter, x: string, dy: string, xShape: Shape, dyShape: Shape): string {
  return w.node('Gemm', [channelRows(w, dy, dyShape), channelRows(w, x, xShape)], { transB: 1 });
}

/**
 * The weight gradient as a convolution of x by dy, samples and channels exchanged: a step of the forward pass is a
 * dilation here.
 */
function exchangedConv(w: OnnxWriter, node: NodeOf<'ConvWeightGrad'>, x: string, dy: string): string {
  const { stride, padding, kernel } = node.attrs;
  const [xShape, dyShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const exchange = (value: string, shape: Shape): string => {
    const order = shape.map((_, i) => (i === 0 ? 1 : i === 1 ? 0 : i));
    return shape[0] === 1
      ? w.reshape(
          value,
          order.map((i) => shape[i]!),
        )
      : w.transpose(value, order);
  };
  const end = kernel.map((k, i) => k + (dyShape[i + 2]! - 1) * stride[i]! - xShape[i + 2]! - padding[i]!);
  const cropped = cropEnd(w, exchange(x, xShape), xShape, end);
  const pads = [...padding, ...end.map((n) => Math.max(n, 0))];
  const attributes = { pads, dilations: stride, kernel_shape: spatialOf(dyShape) };
  const gradient = w.node('Conv', [cropped, exchange(dy, dyShape)], attributes);
  return w.transpose(
    gradient,
    xShape.map((_, i) => (i === 0 ? 1 : i === 1 ? 0 : i)),
  );
}

/** Without the last rows of each spatial axis that no window of the forward pass reached, where `end` is negative. */
function cropEnd(w: OnnxWriter, x: string, shape: Shape, end: readonly number[]): string {
  const axes = end.flatMap((n, i) => (n < 0 ? [i + 2] : []));
  if (axes.length === 0) return x;
  return w.slice(
    x,
    axes,
    axes.map(() => 0),
    axes.map((axis) => shape[axis]! + end[axis - 2]!),
  );
}
