import type { LayoutOps } from '../../graph/ops/layout';
import { lowerGather, lowerGatherGrad } from '../lower-gather';
import { lowerPad, lowerPadGrad } from '../lower-pad';
import { lowerPixelShuffle, lowerPixelShuffleGrad } from '../lower-pixel-shuffle';
import { lowerSlice, lowerSliceGrad } from '../lower-slice';
import type { OnnxRules } from './rule';

export const layoutRules: OnnxRules<keyof LayoutOps> = {
  Constant: (w, { attrs: { values, shape } }) => [w.floats(values, shape)],
  Reshape: (w, { attrs: { shape } }, [x]) => [w.reshape(x!, shape)],
  Expand: (w, { attrs: { shape } }, [x]) => [w.node('Expand', [x!, w.ints(shape)])],
  Transpose: (w, { attrs: { order } }, [x]) => [w.transpose(x!, order)],
  Concat: (w, { attrs: { axis } }, inputs) => [w.node('Concat', inputs, { axis })],
  Slice: lowerSlice,
  SliceGrad: lowerSliceGrad,
  Pad: lowerPad,
  PadGrad: lowerPadGrad,
  Gather: lowerGather,
  GatherGrad: lowerGatherGrad,
  PixelShuffle: lowerPixelShuffle,
  PixelShuffleGrad: lowerPixelShuffleGrad,
};
