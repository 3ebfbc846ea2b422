/**
 * "Same" convolutions through the CPU provider's direct kernels for channel-blocked activations, which beat its general
 * Conv where channels are few and images large. The kernels are 2-D: slices of a volume become a batch, and a 3-D
 * convolution the sum of one 2-D convolution per tap along the depth, each on slices moved by that tap.
 *
 * The provider uses these kernels by itself only for constant weights; named in the graph, they take weights as inputs,
 * in its layout `[O/b, I/b, kh, kw, b in, b out]` for blocks of b channels. Tests compare them with the interpreter.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import { convIsStable } from './partition';
import type { OnnxWriter } from './writer';

const DOMAIN = 'com.microsoft.nchwc';

interface SameConv {
  readonly x: string;
  /** `[N, I, (D,) H, W]`. */
  readonly shape: Shape;
  readonly weight: string;
  /** `[O, I, (kd,) kh, kw]`, odd kernels. */
  readonly weightShape: Shape;
  /** The weight is that of the forward pass, `[I, O, ...]`: exchange its channels and reverse its taps. */
  readonly turned: boolean;
}

/** Whether a stride-1 convolution from `ins` to `outs` channels is one for these kernels. Measured: see the benchmarks. */
export function suitsBlocks(
  w: OnnxWriter,
  shape: Shape,
  ins: number,
  outs: number,
  kernel: readonly number[],
): boolean {
  const { channelBlock: block, alwaysBlocked = false } = w.target;
  if (block === undefined || kernel.length < 2) return false;
  const possible = ins % block === 0 && outs % block === 0 && kernel.every((k) => k % 2 === 1);
  const voxels = sizeOf(shape.slice(2));
  // Laying out the weights and moving slices must pay: many voxels for each channel.
  const wide = Math.max(ins, outs) > WORTHWHILE_CHANNELS;
  const worthwhile = kernel.every((k) => k > 1) && !wide && voxels >= WORTHWHILE_VOXELS * ins;
  const stable = shape[0]! > 1 || convIsStable(outs, voxels, ins * sizeOf(kernel), false);
  return possible && (alwaysBlocked || worthwhile || !stable);
}

const WORTHWHILE_VOXELS = 24;
const WORTHWHILE_CHANNELS = 64;

/** The convolution; `[N, O, (D,) H, W]`. */
export function blockedConv(w: OnnxWriter, conv: SameConv): string {
  const { x, shape, weightShape, turned } = conv;
  const [samples, ins] = [shape[0]!, shape[1]!];
  const outs = weightShape[turned ? 1 : 0]!;
  const plane = shape.slice(-2);
  const depth = shape.length === 5 ? shape[2]! : 1;
  const kernel = weightShape.slice(-2);
  const slices = [samples * depth, ins, ...plane];
  const blocked = internal(w, 'ReorderInput', [w.reshape(slicesFirst(w, x, shape), slices)], {});
  const pads = kernel.map((k) => (k - 1) / 2);
  const attributes = { kernel_shape: kernel, pads: [...pads, ...pads], strides: [1, 1], dilations: [1, 1], group: 1 };
  const taps = blockedWeights(w, conv);
  const centre = (taps.length - 1) / 2;
  let y = internal(w, 'Conv', [blocked, taps[centre]!], attributes);
  for (const [tap, weight] of taps.entries()) {
    if (tap === centre || Math.abs(tap - centre) >= depth) continue;
    const moved = moveSlices(w, blocked, [samples, depth, ins * sizeOf(plane)], tap - centre);
    y = internal(w, 'Conv', [w.reshape(moved, slices), weight, '', y], attributes);
  }
  const plain = internal(w, 'ReorderOutput', [y], { channels: outs });
  return channelsFirst(w, plain, [samples, depth, outs, sizeOf(plane)], [samples, outs, ...shape.slice(2)]);
}

function internal(
  w: OnnxWriter,
  op: string,
  inputs: readonly string[],
  attributes: Record<string, number | readonly number[]>,
): string {
  return w.nodeAll(op, inputs, { attributes, domain: DOMAIN })[0]!;
}

/** `[N, D, C, H·W]` from `[N, C, (D,) H, W]`. */
function slicesFirst(w: OnnxWriter, x: string, shape: Shape): string {
  if (shape.length === 4) return x;
  const [n, c, d, h, width] = shape;
  return w.transpose(w.reshape(x, [n!, c!, d!, h! * width!]), [0, 2, 1, 3]);
}

function channelsFirst(w: OnnxWriter, x: string, slices: Shape, shape: Shape): string {
  return shape.length === 4 ? x : w.reshape(w.transpose(w.reshape(x, slices), [0, 2, 1, 3]), shape);
}

/** Slice d of the result is slice d + by of x, zeros outside. */
function moveSlices(w: OnnxWriter, x: string, shape: Shape, by: number): string {
  return w.node('Pad', [w.reshape(x, shape), w.ints([0, -by, 0, 0, by, 0])]);
}

/** One 2-D weight in blocked layout per tap along the depth. */
function blockedWeights(w: OnnxWriter, { weight, weightShape, turned }: SameConv): readonly string[] {
  const b = w.target.channelBlock!;
  const [first, second] = [weightShape[0]!, weightShape[1]!];
  const kernel = weightShape.slice(2);
  const planeTaps = sizeOf(kernel.slice(-2));
  const depthTaps = kernel.length === 3 ? kernel[0]! : 1;
  let taps = weight;
  if (turned)
    taps = w.slice(w.reshape(weight, [first * second, sizeOf(kernel)]), [1], [-1], [-sizeOf(kernel) - 1], [-1]);
  const split = w.reshape(taps, [first / b, b, second / b, b, depthTaps, planeTaps]);
  const laidOut = w.transpose(split, turned ? [4, 2, 0, 5, 1, 3] : [4, 0, 2, 5, 3, 1]);
  const shape = [turned ? second : first, turned ? first : second, ...kernel.slice(-2)];
  const parts =
    depthTaps === 1
      ? [laidOut]
      : w.nodeAll('Split', [laidOut], { attributes: { axis: 0, num_outputs: depthTaps }, outputs: depthTaps });
  return parts.map((part) => w.reshape(part, shape));
}
