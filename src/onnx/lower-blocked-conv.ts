/**
 * "Same" convolutions through the CPU provider's direct kernels for channel-blocked activations, which beat its general
 * Conv where channels are few and images large. The kernels are 2-D: a volume becomes an image of D·H rows, in which a
 * step along the depth is H rows, so that a 3-D convolution is one 2-D convolution per tap along the height: over depth,
 * with dilation H, and width. The input of each is moved by its tap, so that no row leaks into the next slice.
 *
 * The provider uses these kernels by itself only for constant weights; named in the graph, they take weights as inputs,
 * in its layout `[O/b, I/b, rows, columns, b in, b out]` for blocks of b channels. Tests compare them with the interpreter.
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

const WORTHWHILE_VOXELS = 24;
const WORTHWHILE_CHANNELS = 64;

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
  // Fewer channels than a block need no layout; other numbers would have to be filled up.
  const possible = (ins % block === 0 || ins < block) && outs % block === 0 && kernel.every((k) => k % 2 === 1);
  const voxels = sizeOf(shape.slice(2));
  // Laying out the weights and moving rows must pay: many voxels for each channel.
  const wide = Math.max(ins, outs) > WORTHWHILE_CHANNELS;
  const worthwhile = kernel.every((k) => k > 1) && !wide && voxels >= WORTHWHILE_VOXELS * ins;
  const stable = shape[0]! > 1 || convIsStable(outs, voxels, ins * sizeOf(kernel), false);
  return possible && (alwaysBlocked || worthwhile || !stable);
}

/** The convolution; `[N, O, (D,) H, W]`. */
export function blockedConv(w: OnnxWriter, conv: SameConv): string {
  const { x, shape, weightShape, turned } = conv;
  const [samples, ins, ...spatial] = shape as [number, number, ...number[]];
  const outs = weightShape[turned ? 1 : 0]!;
  const [depth, height, width] = (spatial.length === 3 ? spatial : [1, ...spatial]) as [number, number, number];
  const image = [samples, ins, depth * height, width];
  const flat = w.reshape(x, image);
  const blocked = ins < w.target.channelBlock! ? flat : internal(w, 'ReorderInput', [flat], {});
  const [rowTaps, columnTaps] = [weightShape[2]!, weightShape.at(-1)!];
  const dilation = spatial.length === 3 ? height : 1;
  const pads = [((rowTaps - 1) / 2) * dilation, (columnTaps - 1) / 2];
  const attributes = {
    kernel_shape: [rowTaps, columnTaps],
    dilations: [dilation, 1],
    pads: [...pads, ...pads],
    strides: [1, 1],
    group: 1,
  };
  const taps = blockedWeights(w, conv);
  const centre = (taps.length - 1) / 2;
  // Written before the convolutions, the moved copies are made one by one: the runtime first computes what was written last.
  const moved = taps.flatMap((weight, tap) => {
    if (tap === centre || Math.abs(tap - centre) >= height) return [];
    const copy = moveRows(w, blocked, [samples * ins * depth, height, width], conv, tap - centre);
    return [{ weight, copy: w.reshape(copy, image) }];
  });
  let y = internal(w, 'Conv', [blocked, taps[centre]!], attributes);
  for (const { weight, copy } of moved) y = internal(w, 'Conv', [copy, weight, '', y], attributes);
  return w.reshape(internal(w, 'ReorderOutput', [y], { channels: outs }), [samples, outs, ...spatial]);
}

function internal(
  w: OnnxWriter,
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, number | readonly number[]>>,
): string {
  return w.nodeAll(op, inputs, { attributes, domain: DOMAIN })[0]!;
}

/** Row h of each slice becomes row h + `by`, zeros from outside; the channels of a block stand together. */
function moveRows(w: OnnxWriter, x: string, planes: Shape, { shape }: SameConv, by: number): string {
  const block = shape[1]! < w.target.channelBlock! ? 1 : w.target.channelBlock!;
  const [count, height, width] = planes as [number, number, number];
  const view = w.reshape(x, [count / block, height, width * block]);
  return w.node('Pad', [view, w.ints([0, -by, 0, 0, by, 0])]);
}

/** One 2-D weight in blocked layout: for a volume, one per tap along the height. */
function blockedWeights(w: OnnxWriter, { weight, weightShape, turned }: SameConv): readonly string[] {
  const b = w.target.channelBlock!;
  const [first, second, ...kernel] = weightShape as [number, number, ...number[]];
  const [depthTaps, heightTaps, widthTaps] = (kernel.length === 3 ? kernel : [kernel[0], 1, kernel[1]]) as number[];
  const taps = sizeOf(kernel);
  const reversed = turned ? w.slice(w.reshape(weight, [first * second, taps]), [1], [-1], [-taps - 1], [-1]) : weight;
  const inBlock = (turned ? first : second) < b ? 1 : b;
  const split = turned
    ? lastToInnermost(w, reversed, [first, second / b, b, taps])
    : lastToInnermost(w, reversed, [first / b, b, second * taps]);
  const kernels = [depthTaps!, heightTaps!, widthTaps!];
  const laidOut = turned
    ? w.transpose(w.reshape(split, [first / inBlock, inBlock, second / b, ...kernels, b]), [4, 2, 0, 3, 5, 1, 6])
    : w.transpose(w.reshape(split, [first / b, second / inBlock, inBlock, ...kernels, b]), [4, 0, 1, 3, 5, 2, 6]);
  const shape = [turned ? second : first, turned ? first : second, depthTaps!, widthTaps!];
  if (heightTaps === 1) return [w.reshape(laidOut, shape)];
  const attributes = { axis: 0, num_outputs: heightTaps! };
  const parts = w.nodeAll('Split', [laidOut], { attributes, outputs: heightTaps! });
  return parts.map((part) => w.reshape(part, shape));
}

/** With the last two axes exchanged. Channels of a block come to stand together, so that what follows moves whole blocks. */
function lastToInnermost(w: OnnxWriter, x: string, shape: Shape): string {
  const order = shape.map((_, i) => i);
  const last = shape.length - 1;
  return w.transpose(w.reshape(x, shape), [...order.slice(0, -2), last, last - 1]);
}
