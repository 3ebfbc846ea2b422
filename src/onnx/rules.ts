/**
 * Each operator of the graph in operators of ONNX opset 21.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { Op } from '../graph/ops';
import { type Shape, sizeOf } from '../tensor/tensor';
import { lowerConv, lowerConvInputGrad } from './lower-conv';
import { lowerConvWeightGrad } from './lower-conv-weight';
import { lowerGroupNorm, lowerGroupNormGrad } from './lower-norm';
import { sumProduct, sumRows } from './lower-sums';
import { lowerUpsample, lowerUpsampleGrad } from './lower-upsample';
import type { OnnxWriter } from './writer';

/** Writes a node, given the names of its inputs; gives the names of its outputs. */
type OnnxRule<K extends Op> = (w: OnnxWriter, node: NodeOf<K>, inputs: readonly string[]) => readonly string[];

const direct =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): readonly string[] => [w.node(opType, inputs)];

/** The size of the rows when `axes` are the last ones, so that a sum over them is one over runs of memory. */
function trailingSize(shape: Shape, axes: readonly number[]): number | undefined {
  const trailing = axes.every((axis) => axis >= shape.length - axes.length);
  return trailing && axes.length > 0 ? sizeOf(shape.slice(shape.length - axes.length)) : undefined;
}

export const onnxRules: { readonly [K in Op]: OnnxRule<K> } = {
  Constant: (w, { attrs: { values, shape } }) => [w.floats(values, shape)],
  Add: direct('Add'),
  Sub: direct('Sub'),
  Mul: direct('Mul'),
  Div: direct('Div'),
  Neg: direct('Neg'),
  Sqrt: direct('Sqrt'),
  Sigmoid: direct('Sigmoid'),
  Relu: direct('Relu'),
  // y is the output of a Relu, never negative: its sign is the mask.
  ReluGrad: (w, _, [g, y]) => [w.node('Where', [w.node('Greater', [y!, w.scalar(0)]), g!, w.scalar(0)])],
  ReduceSum: (w, { inputs: [x], outputs: [y], attrs: { axes } }, [name]) => {
    const size = trailingSize(x!.shape, axes);
    if (size === undefined) return [w.node('ReduceSum', [name!, w.ints(axes)], { keepdims: 1 })];
    return [w.reshape(sumRows(w, name!, sizeOf(x!.shape) / size, size), y!.shape)];
  },
  SumProduct: (w, { inputs: [a], outputs: [y], attrs: { axes } }, [nameA, nameB]) => {
    const size = trailingSize(a!.shape, axes);
    if (size === undefined) {
      return [w.node('ReduceSum', [w.node('Mul', [nameA!, nameB!]), w.ints(axes)], { keepdims: 1 })];
    }
    return [w.reshape(sumProduct(w, nameA!, nameB!, sizeOf(a!.shape) / size, size), y!.shape)];
  },
  Reshape: (w, { attrs: { shape } }, [x]) => [w.reshape(x!, shape)],
  Expand: (w, { attrs: { shape } }, [x]) => [w.node('Expand', [x!, w.ints(shape)])],
  Transpose: (w, { attrs: { order } }, [x]) => [w.transpose(x!, order)],
  Conv: lowerConv,
  ConvInputGrad: lowerConvInputGrad,
  ConvWeightGrad: lowerConvWeightGrad,
  GroupNorm: lowerGroupNorm,
  GroupNormGrad: lowerGroupNormGrad,
  UpsampleLinear: (w, { inputs: [x] }, [name]) => [lowerUpsample(w, name!, x!.shape)],
  UpsampleLinearGrad: (w, { inputs: [dy] }, [name]) => [lowerUpsampleGrad(w, name!, dy!.shape)],
};
