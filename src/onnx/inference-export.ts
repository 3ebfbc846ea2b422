/**
 * A network as a plain inference model for any ONNX runtime: opset 17, standard operators only, weights inside under
 * their own names, batch and spatial sizes free.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Graph, Value } from '../graph/graph';
import type { Op } from '../graph/ops';
import { bytesOf, type NamedTensors, type Shape } from '../tensor/tensor';
import { freeRules } from './inference-rules';
import type { FreeRule } from './inference-rules/rule';
import { encodeModel, type OnnxTensor, type OnnxValue } from './model-proto';
import { OnnxWriter } from './writer';

const OPSET = 17;

/**
 * The bytes of an `.onnx` file. The first input of the graph is the image `[N, C, ...spatial]`; its parameters become initializers.
 *
 * @throws ConfigError when the graph has an operator that cannot be written for free sizes, or uses one in such a way
 */
export function toInferenceOnnx(graph: Graph, parameters: NamedTensors): Uint8Array {
  const writer = new OnnxWriter();
  const names = new Map([...graph.inputs, ...graph.parameters].map(([name, value]) => [value.id, name]));
  const varying = new Set([...graph.inputs.values()].map(({ id }) => id));
  const varies = ({ id }: Value): boolean => varying.has(id);
  for (const node of graph.nodes) {
    if (node.inputs.some(varies)) for (const { id } of node.outputs) varying.add(id);
    const rule = freeRules[node.op] as FreeRule<Op> | undefined;
    if (!rule) throw new ConfigError(`${node.op} cannot be exported for inputs of any size.`);
    const inputs = node.inputs.map((value) => names.get(value.id)!);
    names.set(node.outputs[0]!.id, rule(writer, node, inputs, varies));
  }
  for (const [name, value] of graph.outputs) writer.nameOutput(names.get(value.id)!, name);
  const weights = [...graph.parameters.keys()].map((name): OnnxTensor => {
    const weight = parameters.get(name)!;
    return { name, type: 'float32', dims: weight.shape, bytes: bytesOf(weight) };
  });
  const image = [...graph.inputs.values()][0]!.shape;
  return encodeModel({
    name: 'consilium',
    opset: OPSET,
    inputs: [...graph.inputs].map(([name, { shape }]) => free(name, shape, image)),
    outputs: [...graph.outputs].map(([name, { shape }]) => free(name, shape, image)),
    initializers: [...weights, ...writer.initializers],
    nodes: writer.nodes(),
  });
}

/** Free lengths by name: the batch, and D, H, W of the image; lengths that are not those of the image have other names. */
function free(name: string, shape: Shape, image: Shape): OnnxValue {
  const spatial = ['D', 'H', 'W'].slice(5 - shape.length);
  const own = `${shape.slice(2)}` === `${image.slice(2)}` ? '' : `${name}_`;
  return { name, dims: shape.map((n, i) => (i === 0 ? 'N' : i === 1 ? n : `${own}${spatial[i - 2]}`)) };
}
