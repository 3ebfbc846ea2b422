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
import { type FreeRule, TO_THE_LAST } from './inference-rules/rule';
import { encodeModel, type OnnxTensor, type OnnxValue } from './model-proto';
import { OnnxWriter } from './writer';

const OPSET = 17;

export interface InferenceOnnxOptions {
  /**
   * For networks whose outputs are as large as the image: a run at a size at which they would not be fails, in a node of
   * this name, an identifier, which the runtime's message shows. Such sizes are not looked for when omitted.
   */
  readonly sizeCheck?: string;
}

/**
 * The bytes of an `.onnx` file. The first input of the graph is the image `[N, C, ...spatial]`; its parameters become initializers.
 *
 * @throws ConfigError when the graph has an operator that cannot be written for free sizes, or uses one in such a way
 */
export function toInferenceOnnx(
  graph: Graph,
  parameters: NamedTensors,
  { sizeCheck }: InferenceOnnxOptions = {},
): Uint8Array {
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
  const [image] = [...graph.inputs.keys()];
  for (const [name, value] of graph.outputs) {
    const result = names.get(value.id)!;
    const checked = sizeCheck === undefined ? result : ofSizeOf(writer, result, value.shape[1]!, image!, sizeCheck);
    writer.nameOutput(checked, name);
  }
  const weights = [...graph.parameters.keys()].map((name): OnnxTensor => {
    const weight = parameters.get(name)!;
    return { name, type: 'float32', dims: weight.shape, bytes: bytesOf(weight) };
  });
  const { shape } = graph.inputs.get(image!)!;
  return encodeModel({
    name: 'consilium',
    opset: OPSET,
    inputs: [...graph.inputs].map(([name, { shape: dims }]) => free(name, dims, shape)),
    outputs: [...graph.outputs].map(([name, { shape: dims }]) => free(name, dims, shape)),
    initializers: [...weights, ...writer.initializers],
    nodes: writer.nodes(),
  });
}

/**
 * The result reshaped to [samples, channels, ...spatial lengths of the image]. That changes nothing where sizes are equal and
 * fails where they are not: a network that rounds lengths rounds all of them in one direction, so that no other size has as
 * many numbers.
 */
function ofSizeOf(w: OnnxWriter, result: string, channels: number, image: string, nodeName: string): string {
  const shape = w.node('Shape', [image]);
  const samples = w.slice(shape, [0], [0], [1]);
  const spatial = w.slice(shape, [0], [2], [TO_THE_LAST]);
  const wanted = w.node('Concat', [samples, w.ints([channels]), spatial], { axis: 0 });
  return w.nodeAll('Reshape', [result, wanted], { name: nodeName })[0]!;
}

/** Free lengths by name: the batch, and D, H, W of the image; lengths that are not those of the image have other names. */
function free(name: string, shape: Shape, image: Shape): OnnxValue {
  const spatial = ['D', 'H', 'W'].slice(5 - shape.length);
  const own = `${shape.slice(2)}` === `${image.slice(2)}` ? '' : `${name}_`;
  return { name, dims: shape.map((n, i) => (i === 0 ? 'N' : i === 1 ? n : `${own}${spatial[i - 2]}`)) };
}
