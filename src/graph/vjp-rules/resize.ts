import type { ResizeOps } from '../ops/resize';
import type { VjpRules } from './rule';

export const resizeVjps: VjpRules<keyof ResizeOps> = {
  UpsampleLinear: (b, g) => [b.emit('UpsampleLinearGrad', [g], {})],
  UpsampleLinearGrad: (b, g) => [b.emit('UpsampleLinear', [g], {})],
  Resize: (b, g, { inputs: [x], attrs }) => [b.emit('ResizeGrad', [g], { ...attrs, spatial: x!.shape.slice(2) })],
  ResizeGrad: (b, g, { attrs: { spatial: _, ...attrs } }) => [b.emit('Resize', [g], attrs)],
};
