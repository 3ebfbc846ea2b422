/**
 * A graph that says which of its values are finite.
 *
 * @module
 */
import type { Graph, Node, Value } from './graph';

/** A value of the graph and the output that tells of it. */
export interface FiniteCheck {
  /** Name of an output of one element: 0 when all numbers of the value are finite, else NaN. */
  readonly output: string;
  readonly node: Node;
  readonly value: Value;
}

/**
 * The same computation, its results replaced by one number a value: Σ 0·x, which is NaN exactly when x has an element
 * that is not finite. Each value can be freed as before, so it takes hardly more memory.
 *
 * @returns the graph, and its checks in the order of computation
 */
export function withFiniteChecks(graph: Graph): { readonly graph: Graph; readonly checks: readonly FiniteCheck[] } {
  const nodes: Node[] = [];
  const checks: FiniteCheck[] = [];
  const outputs = new Map<string, Value>();
  let nextId =
    1 + Math.max(...[...graph.inputs.values(), ...graph.parameters.values()].map(({ id }) => id), ...ids(graph));
  const value = (shape: Value['shape']): Value => ({ id: nextId++, dtype: 'float32', shape });
  const write = (node: Node): void => void nodes.push(node);
  const zero = value([]);
  write({ op: 'Constant', inputs: [], attrs: { shape: [], values: [0] }, outputs: [zero], layer: '' });
  for (const node of graph.nodes) {
    write(node);
    if (node.op === 'Constant' || node.op === 'Reshape') continue;
    for (const x of node.outputs) {
      const product = value(x.shape);
      const sum = value(x.shape.map(() => 1));
      const axes = x.shape.map((_, i) => i);
      write({ op: 'Mul', inputs: [x, zero], attrs: {}, outputs: [product], layer: node.layer });
      if (axes.length > 0)
        write({ op: 'ReduceSum', inputs: [product], attrs: { axes }, outputs: [sum], layer: node.layer });
      const output = `finite.${checks.length}`;
      outputs.set(output, axes.length > 0 ? sum : product);
      checks.push({ output, node, value: x });
    }
  }
  return { graph: { ...graph, nodes, outputs }, checks };
}

function* ids(graph: Graph): Generator<number> {
  for (const { outputs } of graph.nodes) for (const { id } of outputs) yield id;
}
