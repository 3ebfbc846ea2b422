/**
 * Gradients of pooling.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { Taps } from '../graph/interpolation';
import type { AveragePoolAttrs, PoolAttrs } from '../graph/ops/pool';
import { type Shape, sizeOf } from '../tensor/tensor';
import { applyMatrices, matrixOf, repeatPositions, transposed } from './axis-matrix';
import { kernelTaps } from './lower-conv-weight';
import { putBack } from './lower-slice';
import { asNumber } from './lower-truth';
import type { Attribute } from './model-proto';
import type { OnnxWriter } from './writer';

/** The attributes of ONNX's poolings. */
export function windows({ kernel, stride, padding }: PoolAttrs): Readonly<Record<string, Attribute>> {
  return { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] };
}

/**
 * Each window's gradient scattered to the place of its maximum. The runtime finds the places in the order of PyTorch, but
 * only a pooling that is asked for them does, in twice the time: so the forward pass does without.
 */
export function lowerMaxPoolGrad(
  w: OnnxWriter,
  { attrs, inputs }: NodeOf<'MaxPoolGrad'>,
  [dy, x]: readonly string[],
): readonly string[] {
  const [{ shape: dyShape }, { shape }] = [inputs[0]!, inputs[1]!];
  if (w.target.device === 'webgpu') return [maxPoolGradByTaps(w, { attrs, dyShape, shape }, dy!, x!)];
  const [, places] = w.nodeAll('MaxPool', [x!], { attributes: windows(attrs), outputs: 2 });
  const count = [sizeOf(dyShape)];
  const zeros = w.node('Expand', [w.floats([0]), w.ints([sizeOf(shape)])]);
  const overlap = attrs.kernel.some((k, i) => k > attrs.stride[i]!);
  const scattered = w.node('ScatterElements', [zeros, w.reshape(places!, count), w.reshape(dy!, count)], {
    axis: 0,
    reduction: overlap ? 'add' : 'none',
  });
  return [w.reshape(scattered, shape)];
}

interface MaxPoolGrad {
  readonly attrs: PoolAttrs;
  readonly dyShape: Shape;
  readonly shape: Shape;
}

/**
 * WebGPU does not tell the places. So tap by tap, in the order in which PyTorch looks for the maximum: where the element
 * there is it, and none before was, the window's gradient goes to the element.
 */
function maxPoolGradByTaps(w: OnnxWriter, { attrs, dyShape, shape }: MaxPoolGrad, dy: string, x: string): string {
  const { kernel, stride, padding } = attrs;
  const most = w.node('MaxPool', [x], windows(attrs));
  const margins = w.ints([0, 0, ...padding, 0, 0, ...padding]);
  const padded = padding.some((p) => p > 0) ? w.node('Pad', [x, margins, w.scalar(Number.NEGATIVE_INFINITY)]) : x;
  const axes = kernel.map((_, i) => i + 2);
  let waiting = w.floats([1], [1]);
  const parts = kernelTaps(kernel).map((tap) => {
    const end = tap.map((t, i) => t + (dyShape[i + 2]! - 1) * stride[i]! + 1);
    const found = asNumber(w, w.node('Equal', [w.slice(padded, axes, tap, end, stride), most]));
    const first = w.node('Mul', [waiting, found]);
    waiting = w.node('Sub', [waiting, first]);
    const start = [0, 0, ...tap.map((t, i) => t - padding[i]!)];
    return putBack(w, w.node('Mul', [dy, first]), dyShape, { start, step: [1, 1, ...stride], shape });
  });
  return parts.reduce((sum, part) => w.node('Add', [sum, part]));
}

/** The positions inside that each window covers along one axis, with the weight of each. */
function meanTaps(n: number, windowCount: number, axis: number, attrs: AveragePoolAttrs): Taps {
  const [kernel, stride] = [attrs.kernel[axis]!, attrs.stride[axis]!];
  return Array.from({ length: windowCount }, (_, window) => {
    const start = window * stride - attrs.padding[axis]!;
    const inside = Array.from({ length: kernel }, (_, tap) => start + tap).filter((i) => i >= 0 && i < n);
    return inside.map((i) => [i, 1 / (attrs.countIncludePad ? kernel : inside.length)] as const);
  });
}

/**
 * Means over windows that do not overlap are spread by repetition. Of windows that move by one position, the positions
 * inside get the mean of the gradients of the windows around them: a pooling again. Others take one matrix product per axis.
 */
export function lowerAveragePoolGrad(
  w: OnnxWriter,
  { attrs, inputs }: NodeOf<'AveragePoolGrad'>,
  [dy]: readonly string[],
): readonly string[] {
  const { kernel, stride, spatial } = attrs;
  const { shape } = inputs[0]!;
  const tiles = kernel.every((k, i) => k === stride[i] && attrs.padding[i] === 0 && k * shape[i + 2]! === spatial[i]);
  if (tiles) return [repeatPositions(w, w.node('Mul', [dy!, w.scalar(1 / sizeOf(kernel))]), shape, kernel)];
  const slide = stride.every((s) => s === 1) && (attrs.countIncludePad || attrs.padding.every((p) => p === 0));
  if (slide) {
    const around = kernel.map((k, i) => k - 1 - attrs.padding[i]!);
    return [w.node('AveragePool', [dy!], { ...windows({ ...attrs, padding: around }), count_include_pad: 1 })];
  }
  const matrices = spatial.map((n, i) => transposed(matrixOf(meanTaps(n, shape[i + 2]!, i, attrs), n)));
  return [applyMatrices(w, dy!, shape, matrices)];
}
