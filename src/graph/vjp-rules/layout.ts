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
};
