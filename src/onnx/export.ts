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
  const nodes = inFrugalOrder(writer.nodes(), outputDepths(graph));
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
 * In an order that makes the runtime need little memory. It walks back from the nodes whose results only leave the graph,
 * the last one first, and computes of a node's operands the last one first, each with all that it needs.
 *
 * So the leaving nodes stand at the end, those last that are ready first: the gradients of a network's last layers are used
 * up before those of its first layers are computed. The others stand by the length of the way to them: the operand that
 * takes long is computed first, and short-lived ones, as masks and shifted copies are, just before they are used.
 */
function inFrugalOrder(nodes: readonly OnnxNode[], outputDepths: ReadonlyMap<string, number>): readonly OnnxNode[] {
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const depths = new Map<string, number>();
  for (const { opType, inputs, outputs } of nodes) {
    const depth = lengthOf(opType) + Math.max(0, ...inputs.map((name) => depths.get(name) ?? 0));
    for (const name of outputs) depths.set(name, depth);
  }
  const depthOf = ({ outputs }: OnnxNode): number => depths.get(outputs[0]!)!;
  const readiness = ({ outputs }: OnnxNode): number => outputDepths.get(outputs[0]!) ?? 0;
  const leaves = (node: OnnxNode): boolean => !node.outputs.some((name) => used.has(name));
  const inner = nodes.filter((node) => !leaves(node)).sort((a, b) => depthOf(a) - depthOf(b));
  const last = nodes.filter(leaves).sort((a, b) => readiness(b) - readiness(a));
  return [...inner, ...last];
}

/** How much a node adds to the length of a way: more where much is computed, and larger tensors are held meanwhile. */
function lengthOf(opType: string): number {
  return /Conv|Gemm|MatMul/.test(opType) ? 8 : 1;
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
