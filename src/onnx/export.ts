/**
 * A graph as the bytes of an ONNX model.
 *
 * @module
 */
import type { Graph, NodeOf, Value } from '../graph/graph';
import type { Op } from '../graph/ops';
import { encodeModel } from './model-proto';
import { onnxRules } from './rules';
import type { Target } from './target';
import { OnnxWriter } from './writer';

/** Operator-set version of all models written here. */
export const OPSET = 21;

/**
 * The bytes of an ONNX model whose inputs are the inputs and parameters of the graph, and whose outputs are the graph's,
 * all float32 and under their names. Equal graphs give equal bytes.
 *
 * @param target what the model may use beyond the standard operators; nothing when omitted
 */
export function toOnnx(graph: Graph, target: Target = {}): Uint8Array {
  const writer = new OnnxWriter(target);
  const feeds = [...graph.inputs, ...graph.parameters];
  const names = new Map<number, string>(feeds.map(([name, value]) => [value.id, name]));
  for (const node of graph.nodes) lower(writer, node, names);
  for (const [name, value] of graph.outputs) writer.nameOutput(names.get(value.id)!, name);
  const declared = ([name, value]: readonly [string, Value]): { name: string; dims: readonly number[] } => ({
    name,
    dims: value.shape,
  });
  const nodes = writer.nodes();
  const domains = [...new Set(nodes.map(({ domain }) => domain))].filter((domain) => domain !== '');
  return encodeModel({
    name: 'consilium',
    opset: OPSET,
    domains: Object.fromEntries(domains.map((domain) => [domain, 1])),
    inputs: feeds.map(declared),
    outputs: [...graph.outputs].map(declared),
    initializers: writer.initializers,
    nodes,
  });
}

function lower<K extends Op>(writer: OnnxWriter, node: NodeOf<K>, names: Map<number, string>): void {
  const inputs = node.inputs.map((value) => names.get(value.id)!);
  const outputs = onnxRules[node.op](writer, node, inputs);
  for (const [i, value] of node.outputs.entries()) names.set(value.id, outputs[i]!);
}
