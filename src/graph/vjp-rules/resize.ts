import type { ResizeOps } from '../ops/resize';
import type { VjpRules } from './rule';

export const resizeVjps: VjpRules<keyof ResizeOps> = {
  UpsampleLinear: (b, g) => [b.emit('UpsampleLinearGrad', [g], {})],
  UpsampleLinearGrad: (b, g) => [b.emit('UpsampleLinear', [g], {})],
};
