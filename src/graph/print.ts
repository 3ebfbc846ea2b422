/**
 * The graph as text, for tests and for reading.
 *
 * @module
 */
import { textOf } from './attrs-text';
import type { Graph, Node, Value } from './graph';

const typed = (value: Value): string => `%${value.id}: f32[${value.shape}]`;

/** One line per input, parameter, node and output, in the order of the graph; after a node, `#` and its layer. */
export function graphToString(graph: Graph): string {
  return [
    ...[...graph.inputs].map(([name, value]) => `input ${name} = ${typed(value)}`),
    ...[...graph.parameters].map(([name, value]) => `parameter ${name} = ${typed(value)}`),
    ...graph.nodes.map(nodeLine),
    ...[...graph.outputs].map(([name, value]) => `output ${name} = %${value.id}`),
  ].join('\n');
}

function nodeLine(node: Node): string {
  const inputs = node.inputs.map((value) => `%${value.id}`).join(', ');
  const attrs = Object.entries(node.attrs).map(([name, value]) => ` ${name}=${textOf(value)}`);
  const layer = node.layer === '' ? '' : `  # ${node.layer}`;
  return `${node.outputs.map(typed).join(', ')} = ${node.op}(${inputs})${attrs.join('')}${layer}`;
}
