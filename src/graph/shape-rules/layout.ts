import { sameShape, sizeOf } from '../../tensor/tensor';
import type { LayoutOps } from '../ops/layout';
import { broadcastShapes, ensure, requireAxes, type ShapeRules } from './rule';

export const layoutShapes: ShapeRules<keyof LayoutOps> = {
  Constant: (_, { shape, values }) => {
    ensure(sizeOf(shape) === values.length, 'Constant', `${values.length} values must fill the shape`, [shape]);
    return [shape];
  },
  Reshape: ([x], { shape }) => {
    ensure(sizeOf(x!) === sizeOf(shape), 'Reshape', `the size must stay the same under [${shape}]`, [x!]);
    return [shape];
  },
  Expand: ([x], { shape }) => {
    ensure(sameShape(broadcastShapes(x!, shape, 'Expand'), shape), 'Expand', `must broadcast to [${shape}]`, [x!]);
    return [shape];
  },
  Transpose: ([x], { order }) => {
    requireAxes('Transpose', x!, order);
    ensure(order.length === x!.length, 'Transpose', `order [${order}] must name every axis`, [x!]);
    return [order.map((axis) => x![axis]!)];
  },
};
