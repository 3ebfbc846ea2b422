import { split } from '../functions/layout';
import type { LayoutOps } from '../ops/layout';
import type { VjpRules } from './rule';

export const layoutVjps: VjpRules<keyof LayoutOps> = {
  Constant: () => [],
  Reshape: (b, g, { inputs: [x] }) => [b.reshape(g, x!.shape)],
  Expand: (b, g, { inputs: [x] }) => [b.unbroadcast(g, x!.shape)],
  Transpose: (b, g, { attrs: { order } }) => [
    b.transpose(
      g,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ],
  Concat: (b, g, { inputs, attrs: { axis } }) =>
    split(
      b,
      g,
      inputs.map(({ shape }) => shape[axis]!),
      axis,
    ),
  Slice: (b, g, { inputs: [x], attrs }) => [b.emit('SliceGrad', [g], { ...attrs, shape: x!.shape })],
  SliceGrad: (b, g, { attrs: { start, end, step } }) => [b.emit('Slice', [g], { start, end, step })],
  Pad: (b, g, { attrs }) => [b.emit('PadGrad', [g], attrs)],
  PadGrad: (b, g, { attrs }) => [b.emit('Pad', [g], attrs)],
  Gather: (b, g, { inputs: [x, indices], attrs: { axis } }) => [
    b.emit('GatherGrad', [g, indices!], { axis, length: x!.shape[axis]! }),
    undefined,
  ],
  GatherGrad: (b, g, { inputs: [, indices], attrs: { axis } }) => [
    b.emit('Gather', [g, indices!], { axis }),
    undefined,
  ],
  PixelShuffle: (b, g, { attrs }) => [b.emit('PixelShuffleGrad', [g], attrs)],
  PixelShuffleGrad: (b, g, { attrs }) => [b.emit('PixelShuffle', [g], attrs)],
};
