import type { ConvOps } from '../ops/conv';
import type { VjpRules } from './rule';

/** The three convolutions are one trilinear form Σ dy·(x ⋆ w): each is the derivative of the others. */
export const convVjps: VjpRules<keyof ConvOps> = {
  Conv: (b, g, { inputs: [x, w], attrs: { stride, padding } }) => [
    b.emit('ConvInputGrad', [g, w!], { stride, padding, spatial: x!.shape.slice(2) }),
    b.emit('ConvWeightGrad', [x!, g], { stride, padding, kernel: w!.shape.slice(2) }),
  ],
  ConvInputGrad: (b, g, { inputs: [dy, w], attrs: { stride, padding } }) => [
    b.conv(g, w!, { stride, padding }),
    b.emit('ConvWeightGrad', [g, dy!], { stride, padding, kernel: w!.shape.slice(2) }),
  ],
  ConvWeightGrad: (b, g, { inputs: [x, dy], attrs: { stride, padding } }) => [
    b.emit('ConvInputGrad', [dy!, g], { stride, padding, spatial: x!.shape.slice(2) }),
    b.conv(x!, g, { stride, padding }),
  ],
};
