import { type Shape, sameShape } from '../../tensor/tensor';
import type { ReductionOps } from '../ops/reduction';
import { ensure, requireAxes, type ShapeRules } from './rule';

const reduced = (shape: Shape, axes: readonly number[]): Shape => shape.map((n, i) => (axes.includes(i) ? 1 : n));

export const reductionShapes: ShapeRules<keyof ReductionOps> = {
  ReduceSum: ([x], { axes }) => {
    requireAxes('ReduceSum', x!, axes);
    return [reduced(x!, axes)];
  },
  ReduceMax: ([x], { axes }) => {
    requireAxes('ReduceMax', x!, axes);
    return [reduced(x!, axes)];
  },
  SumProduct: ([a, b], { axes }) => {
    ensure(sameShape(a!, b!), 'SumProduct', 'both inputs must have one shape', [a!, b!]);
    requireAxes('SumProduct', a!, axes);
    return [reduced(a!, axes)];
  },
  Softmax: ([x], { axis }) => {
    requireAxes('Softmax', x!, [axis]);
    return [x!];
  },
  LogSoftmax: ([x], { axis }) => {
    requireAxes('LogSoftmax', x!, [axis]);
    return [x!];
  },
};
