/**
 * Checks that a graph is well formed.
 *
 * @module
 */
import { InternalError } from '../errors';
import { sameShape } from '../tensor/tensor';
import type { Graph, NodeOf, Value } from './graph';
import type { Op } from './ops';
import { shapeRules } from './shape-rules';

/**
 * Every value is written once and before it is read, every node's shapes follow its rule, every output exists.
 *
 * @throws InternalError naming the first node that breaks this
 */
export function verify(graph: Graph): void {
  const known = new Map<number, Value>();
  const define = (value: Value, by: string): void => {
    if (known.has(value.id)) throw new InternalError(`Value %${value.id} is written a second time, by ${by}.`);
    known.set(value.id, value);
  };
  const read = (value: Value, by: string): void => {
    if (known.get(value.id) !== value)
      throw new InternalError(`${by} reads %${value.id}, which nothing before it wrote.`);
  };
  for (const [name, value] of [...graph.inputs, ...graph.parameters]) define(value, `input '${name}'`);
  for (const [i, node] of graph.nodes.entries()) {
    const where = `node ${i} (${node.op})`;
    for (const value of node.inputs) read(value, where);
    for (const value of node.outputs) define(value, where);
    verifyShapes(node, where);
  }
  for (const [name, value] of graph.outputs) read(value, `output '${name}'`);
}

function verifyShapes<K extends Op>(node: NodeOf<K>, where: string): void {
  const expected = shapeRules[node.op](
    node.inputs.map((value) => value.shape),
    node.attrs,
  );
  const fits =
    expected.length === node.outputs.length && node.outputs.every((v, i) => sameShape(v.shape, expected[i]!));
  if (!fits) throw new InternalError(`The outputs of ${where} do not have the shapes of its rule.`);
}
