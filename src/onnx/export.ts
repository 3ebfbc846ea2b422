/**
 * A graph as the bytes of an ONNX model.
 *
 * @module
 */
import type { Graph, NodeOf, Value } from '../graph/graph';
import type { Op } from '../graph/ops';
import { encodeModel, type OnnxNode } from './model-proto';
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
  const nodes = inBackwardOrder(writer.nodes(), outputDepths(graph));
  if (process.env.DUMP)
    require('node:fs').writeFileSync(
      process.env.DUMP,
      JSON.stringify(nodes.map((n) => [n.opType, n.inputs, n.outputs])),
    );
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

/**
 * With the nodes whose results only leave the graph at the end, and of them those last that are ready first. The runtime
 * walks back from such nodes, the last one first, and computes what each needs before it goes on to the next: so the
 * gradients of a network's last layers are used up before those of its first layers are computed.
 */
function inBackwardOrder(nodes: readonly OnnxNode[], depths: ReadonlyMap<string, number>): readonly OnnxNode[] {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isLeaf = ({ outputs }: OnnxNode): boolean => !outputs.some((name) => used.has(name));
  const depthOf = ({ outputs }: OnnxNode): number => depths.get(outputs[0]!) ?? 0;
  const leaves = nodes.filter(isLeaf).sort((a, b) => depthOf(b) - depthOf(a));
  return [...nodes.filter((node) => !isLeaf(node)), ...leaves];
}

/** For each output of the graph, the number of nodes on the longest way to it. */
function outputDepths(graph: Graph): ReadonlyMap<string, number> {
  const depths = new Map<number, number>();
  for (const { inputs, outputs } of graph.nodes) {
    const depth = 1 + Math.max(0, ...inputs.map(({ id }) => depths.get(id) ?? 0));
    for (const { id } of outputs) depths.set(id, depth);
  }
  return new Map([...graph.outputs].map(([name, { id }]) => [name, depths.get(id) ?? 0]));
}

function lower<K extends Op>(writer: OnnxWriter, node: NodeOf<K>, names: Map<number, string>): void {
  const inputs = node.inputs.map((value) => names.get(value.id)!);
  const outputs = onnxRules[node.op](writer, node, inputs);
  for (const [i, value] of node.outputs.entries()) names.set(value.id, outputs[i]!);
}
