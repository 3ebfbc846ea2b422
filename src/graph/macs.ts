/**
 * Multiply–accumulate operations: the usual measure of what a network costs.
 *
 * @module
 */
import { sizeOf } from '../tensor/tensor';
import type { Node } from './graph';

/** Those of convolutions and matrix products; 0 for all other operators, which cost little beside them. */
export function macsOf(node: Node): number {
  const [x, w] = node.inputs;
  const [y] = node.outputs;
  switch (node.op) {
    case 'Conv':
      return sizeOf(y!.shape) * sizeOf(w!.shape.slice(1));
    case 'ConvInputGrad':
      return sizeOf(x!.shape) * sizeOf(w!.shape.slice(1));
    case 'ConvWeightGrad':
      return sizeOf(w!.shape) * sizeOf(y!.shape.slice(1));
    case 'MatMul':
      return sizeOf(y!.shape) * x!.shape.at(-1)!;
    default:
      return 0;
  }
}
