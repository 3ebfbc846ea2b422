/**
 * A graph as the bytes of an ONNX model.
 *
 * @module
 */
import type { Graph, NodeOf, Value } from '../graph/graph';
import type { Op } from '../graph/ops';
import { encodeModel } from './model-proto';
import { onnxRules } from './rules';
import { OnnxWriter } from './writer';

/** Operator-set version of all models written here. */
export const OPSET = 21;

/**
 * The bytes of an ONNX model whose inputs are the inputs and parameters of the graph, and whose outputs are the graph's,
 * all float32 and under their names. Equal graphs give equal bytes.
 */
export function toOnnx(graph: Graph): Uint8Array {
  const writer = new OnnxWriter();
  const feeds = [...graph.inputs, ...graph.parameters];
  const names = new Map<number, string>(feeds.map(([name, value]) => [value.id, name]));
  for (const node of graph.nodes) lower(writer, node, names);
  for (const [name, value] of graph.outputs) writer.nameOutput(names.get(value.id)!, name);
  const declared = ([name, value]: readonly [string, Value]): { name: string; dims: readonly number[] } => ({
    name,
    dims: value.shape,
  });
  return encodeModel({
    name: 'consilium',
    opset: OPSET,
    inputs: feeds.map(declared),
    outputs: [...graph.outputs].map(declared),
    initializers: writer.initializers,
    nodes: writer.nodes,
  });
}

function lower<K extends Op>(writer: OnnxWriter, node: NodeOf<K>, names: Map<number, string>): void {
  const inputs = node.inputs.map((value) => names.get(value.id)!);
  const outputs = onnxRules[node.op](writer, node, inputs);
  for (const [i, value] of node.outputs.entries()) names.set(value.id, outputs[i]!);
}
