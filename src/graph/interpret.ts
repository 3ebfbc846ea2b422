/**
 * The reference interpreter of the graph.
 *
 * @module
 */
import { ShapeError } from '../errors';
import { sizeOf } from '../tensor/tensor';
import type { Graph, NodeOf, Value } from './graph';
import { interpreterRules } from './interpreter-rules';
import type { Array64 } from './interpreter-rules/rule';
import type { Op } from './ops';

/**
 * Computes the outputs of a graph in float64.
 *
 * @param feeds the numbers of every input and parameter, by name, in C order
 * @throws ShapeError when one is missing or has the wrong size
 */
export function interpret(
  graph: Graph,
  feeds: ReadonlyMap<string, ArrayLike<number>>,
): ReadonlyMap<string, Float64Array> {
  const values = new Map<number, Array64>();
  for (const [name, value] of [...graph.inputs, ...graph.parameters]) values.set(value.id, feed(name, value, feeds));
  const lastUse = lastUses(graph);
  for (const [i, node] of graph.nodes.entries()) {
    run(node, values);
    for (const value of node.inputs) if (lastUse.get(value.id) === i) values.delete(value.id);
  }
  return new Map([...graph.outputs].map(([name, value]) => [name, values.get(value.id)!.data]));
}

function feed(name: string, value: Value, feeds: ReadonlyMap<string, ArrayLike<number>>): Array64 {
  const data = feeds.get(name);
  if (data?.length !== sizeOf(value.shape)) {
    const came = data ? `${data.length} numbers` : 'nothing';
    throw new ShapeError(`Input '${name}' needs ${sizeOf(value.shape)} numbers for [${value.shape}]; ${came} came.`);
  }
  return { shape: value.shape, data: Float64Array.from(data) };
}

function run<K extends Op>(node: NodeOf<K>, values: Map<number, Array64>): void {
  const inputs = node.inputs.map((value) => values.get(value.id)!);
  const shapes = node.outputs.map((value) => value.shape);
  const results = interpreterRules[node.op](inputs, node.attrs, shapes);
  for (const [i, value] of node.outputs.entries()) values.set(value.id, { shape: value.shape, data: results[i]! });
}

/** The index of the last node that reads each value; outputs of the graph are kept to the end. */
function lastUses(graph: Graph): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  for (const [i, node] of graph.nodes.entries()) for (const value of node.inputs) last.set(value.id, i);
  for (const value of graph.outputs.values()) last.set(value.id, graph.nodes.length);
  return last;
}
