/**
 * Channels as voxels, and back.
 *
 * The places of the last axis are interleaved first, as a transposition of matrices; then all that is left to move is whole
 * rows of the result. The runtime does both much faster than the one transposition of all axes.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { Shape } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

/** `[before, block, after]` as `[before, after, block]`, and back. */
const TURN = [0, 2, 1];

/** The shapes on the way from `x` to `y`, both `[N, C, ...spatial]`, and the order that brings rows to their places. */
function steps(x: Shape, y: Shape, block: number) {
  const [samples, channels, ...spatial] = y;
  const small = x.slice(2);
  const outer = small.slice(0, -1);
  const before = samples! * channels! * block ** outer.length;
  const after = small.reduce((product, n) => product * n, 1);
  return {
    matrices: [before, block, after],
    turned: [before, after, block],
    rows: [samples! * channels!, ...outer.map(() => block), ...outer, spatial.at(-1)!],
    placed: [samples! * channels!, ...outer.flatMap((n) => [n, block]), spatial.at(-1)!],
    order: rowOrder(outer.length),
  };
}

/** From (rows of a channel) block, block, …, n, n, …, row to n, block, n, block, …, row. */
function rowOrder(outer: number): readonly number[] {
  const axes = Array.from({ length: outer }, (_, i) => [1 + outer + i, 1 + i]);
  return [0, ...axes.flat(), 1 + 2 * outer];
}

export function lowerPixelShuffle(
  w: OnnxWriter,
  { inputs, outputs, attrs }: NodeOf<'PixelShuffle'>,
  [x]: readonly string[],
): readonly string[] {
  const y = outputs[0]!.shape;
  const { matrices, rows, order } = steps(inputs[0]!.shape, y, attrs.block);
  const interleaved = w.reshape(w.transpose(w.reshape(x!, matrices), TURN), rows);
  return [w.reshape(w.transpose(interleaved, order), y)];
}

export function lowerPixelShuffleGrad(
  w: OnnxWriter,
  { inputs, outputs, attrs }: NodeOf<'PixelShuffleGrad'>,
  [g]: readonly string[],
): readonly string[] {
  const x = outputs[0]!.shape;
  const { turned, placed, order } = steps(x, inputs[0]!.shape, attrs.block);
  const back = order.map((_, axis) => order.indexOf(axis));
  const interleaved = w.reshape(w.transpose(w.reshape(g!, placed), back), turned);
  return [w.reshape(w.transpose(interleaved, TURN), x)];
}

/** The same for a batch and lengths that are known only when the network runs. */
export function freePixelShuffle(w: OnnxWriter, { outputs, attrs }: NodeOf<'PixelShuffle'>, x: string): string {
  const [, channels, ...spatial] = outputs[0]!.shape;
  const { block } = attrs;
  const outer = spatial.length - 1;
  // In a shape, 0 is the length of the input there, and −1 what is left over.
  const matrices = w.reshape(x, [0, channels! * block ** outer, block, -1]);
  const interleaved = w.transpose(matrices, [0, 1, 3, 2]);
  const lengths = w.slice(w.node('Shape', [x]), [0], [2], [2 + outer]);
  const shapeOf = (parts: readonly string[]): string => w.node('Concat', parts, { axis: 0 });
  const blocks = Array.from({ length: outer }, () => block);
  const rows = shapeOf([w.ints([0, channels!, ...blocks]), lengths, w.ints([-1])]);
  const order = [0, ...rowOrder(outer).map((axis) => axis + 1)];
  const placed = w.transpose(w.node('Reshape', [interleaved, rows]), order);
  const whole = shapeOf([w.ints([0, channels!]), w.node('Mul', [lengths, w.ints([block])]), w.ints([-1])]);
  return w.node('Reshape', [placed, whole]);
}
