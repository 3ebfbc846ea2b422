import type { ConvOps } from '../ops/conv';
import type { VjpRules } from './rule';

/** The three convolutions are one trilinear form Σ dy·(x ⋆ w): each is the derivative of the others. */
export const convVjps: VjpRules<keyof ConvOps> = {
  Conv: (b, g, { inputs: [x, w], attrs }) => [
    b.emit('ConvInputGrad', [g, w!], { ...attrs, spatial: x!.shape.slice(2) }),
    b.emit('ConvWeightGrad', [x!, g], { ...attrs, kernel: w!.shape.slice(2) }),
  ],
  ConvInputGrad: (b, g, { inputs: [dy, w], attrs: { spatial: _, ...attrs } }) => [
    b.conv(g, w!, attrs),
    b.emit('ConvWeightGrad', [g, dy!], { ...attrs, kernel: w!.shape.slice(2) }),
  ],
  ConvWeightGrad: (b, g, { inputs: [x, dy], attrs: { kernel: _, ...attrs } }) => [
    b.emit('ConvInputGrad', [dy!, g], { ...attrs, spatial: x!.shape.slice(2) }),
    b.conv(x!, g, attrs),
  ],
};
