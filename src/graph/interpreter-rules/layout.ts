import { sizeOf } from '../../tensor/tensor';
import type { LayoutOps } from '../ops/layout';
import { broadcastStrides, gather, type InterpreterRules } from './rule';

export const layoutInterpreters: InterpreterRules<keyof LayoutOps> = {
  Constant: (_, { values }) => [Float64Array.from(values)],
  Reshape: ([x]) => [x!.data],
  Expand: ([x], { shape }) => [gather(x!, shape, broadcastStrides(x!.shape, shape))],
  Transpose: ([x], { order }, [shape]) => {
    const strides = x!.shape.map((_, i) => sizeOf(x!.shape.slice(i + 1)));
    const permuted = order.map((axis) => strides[axis]!);
    return [gather(x!, shape!, permuted)];
  },
};
