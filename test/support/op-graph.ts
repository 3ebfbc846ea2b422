/** A graph of one operator and its gradients, with inputs to run it on. */
import { Builder } from '../../src/graph/builder';
import { differentiate } from '../../src/graph/differentiate';
import type { Graph, Value } from '../../src/graph/graph';
import type { Op } from '../../src/graph/ops';
import { vjpRules } from '../../src/graph/vjp-rules';
import { sizeOf } from '../../src/tensor/tensor';
import { fill } from '../golden/fill';
import type { OpCase } from './op-cases';

export interface OpGraph {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Float32Array>;
  /** The inputs that the graph has a gradient of, called `d…`. */
  readonly differentiated: readonly string[];
}

/** The number of the `weights` among the tensors of the hash fill. */
const WEIGHTS = 31;

/** `length` numbers in [low, high), from the hash fill of tensor `i`. */
function uniform(i: number, length: number, low: number, high: number): Float32Array {
  return Float32Array.from({ length }, (_, j) => low + (high - low) * fill(i, j));
}

/**
 * Outputs `y0…` of the operator, `loss` = Σ y0·weights, and, where the operator is differentiable, gradients `dx0…`.
 */
export function opGraph<K extends Op>(op: K, example: OpCase<K>): OpGraph {
  const b = new Builder();
  const inputs = example.inputs.map((shape, i) => b.input(`x${i}`, shape));
  const outputs = b.emitAll(op, inputs, example.attrs);
  for (const [i, value] of outputs.entries()) b.output(`y${i}`, value);
  const names = typeof vjpRules[op] === 'function' ? addGradients(b, inputs, outputs[0]!, example.fixed ?? []) : [];
  const graph = b.build();
  const [low, high] = example.range ?? [-1, 1];
  const feeds = new Map<string, Float32Array>();
  for (const [i, { shape }] of inputs.entries()) {
    feeds.set(`x${i}`, Float32Array.from(example.values?.[i] ?? uniform(i, sizeOf(shape), low, high)));
  }
  if (graph.inputs.has('weights')) feeds.set('weights', uniform(WEIGHTS, sizeOf(outputs[0]!.shape), -1, 1));
  return { graph, feeds, differentiated: names };
}

function addGradients(b: Builder, inputs: readonly Value[], y: Value, fixed: readonly number[]): string[] {
  const weights = b.input('weights', y.shape);
  const loss = b.sumProduct(y, weights);
  b.output('loss', loss);
  const varied = inputs.flatMap((_, i) => (fixed.includes(i) ? [] : [i]));
  const gradients = differentiate(
    b,
    loss,
    varied.map((i) => inputs[i]!),
  );
  return varied.map((i, k) => {
    b.output(`dx${i}`, gradients[k]!);
    return `x${i}`;
  });
}
