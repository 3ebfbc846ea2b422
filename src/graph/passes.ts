/**
 * Passes: functions from graph to equivalent graph.
 *
 * @module
 */
import { textOf } from './attrs-text';
import type { Graph, Node, Value } from './graph';

/** Without the nodes that no output depends on. */
export function eliminateDeadCode(graph: Graph): Graph {
  const live = new Set<number>([...graph.outputs.values()].map((value) => value.id));
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((value) => live.has(value.id))) continue;
    for (const value of node.inputs) live.add(value.id);
    nodes.push(node);
  }
  return { ...graph, nodes: nodes.reverse() };
}

/** With every value computed once: of nodes with equal operator, inputs and attributes the first stays. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  const replacement = new Map<number, Value>();
  const replaced = (value: Value): Value => replacement.get(value.id) ?? value;
  const first = new Map<string, Node>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = { ...original, inputs: original.inputs.map(replaced) } as Node;
    const key = `${node.op}(${node.inputs.map((value) => value.id)})${textOf(node.attrs)}`;
    const twin = first.get(key);
    if (twin) {
      for (const [i, value] of node.outputs.entries()) replacement.set(value.id, twin.outputs[i]!);
    } else {
      first.set(key, node);
      nodes.push(node);
    }
  }
  const outputs = new Map([...graph.outputs].map(([name, value]) => [name, replaced(value)]));
  return { ...graph, nodes, outputs };
}
