import type { ReductionOps } from '../../graph/ops/reduction';
import { type Shape, sizeOf } from '../../tensor/tensor';
import { sumProduct, sumRows } from '../lower-sums';
import type { OnnxRules } from './rule';

/** The size of the rows when `axes` are the last ones, so that a sum over them is one over runs of memory. */
function trailingSize(shape: Shape, axes: readonly number[]): number | undefined {
  const trailing = axes.every((axis) => axis >= shape.length - axes.length);
  return trailing && axes.length > 0 ? sizeOf(shape.slice(shape.length - axes.length)) : undefined;
}

export const reductionRules: OnnxRules<keyof ReductionOps> = {
  ReduceSum: (w, { inputs: [x], outputs: [y], attrs: { axes } }, [name]) => {
    if (axes.length === 0) return [name!];
    const size = trailingSize(x!.shape, axes);
    if (size === undefined) return [w.node('ReduceSum', [name!, w.ints(axes)], { keepdims: 1 })];
    return [w.reshape(sumRows(w, name!, sizeOf(x!.shape) / size, size), y!.shape)];
  },
  ReduceMax: (w, { attrs: { axes } }, [x]) => {
    return [axes.length === 0 ? x! : w.node('ReduceMax', [x!, w.ints(axes)], { keepdims: 1 })];
  },
  SumProduct: (w, { inputs: [a], outputs: [y], attrs: { axes } }, [nameA, nameB]) => {
    if (axes.length === 0) return [w.node('Mul', [nameA!, nameB!])];
    const size = trailingSize(a!.shape, axes);
    if (size === undefined) {
      return [w.node('ReduceSum', [w.node('Mul', [nameA!, nameB!]), w.ints(axes)], { keepdims: 1 })];
    }
    return [w.reshape(sumProduct(w, nameA!, nameB!, sizeOf(a!.shape) / size, size), y!.shape)];
  },
  Softmax: (w, { attrs }, [x]) => [w.node('Softmax', [x!], { axis: attrs.axis })],
  LogSoftmax: (w, { attrs }, [x]) => [w.node('LogSoftmax', [x!], { axis: attrs.axis })],
};
