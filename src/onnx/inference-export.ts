/**
 * A network as a plain inference model for any ONNX runtime: opset 17, standard operators only, weights inside under
 * their own names, batch and spatial sizes free.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Graph, NodeOf } from '../graph/graph';
import type { Op } from '../graph/ops';
import { bytesOf, type NamedTensors } from '../tensor/tensor';
import { encodeModel, type OnnxTensor, type OnnxValue } from './model-proto';
import { OnnxWriter } from './writer';

const OPSET = 17;

/** Writes a node for inputs of any size; undefined for operators that inference does not need. */
type FreeRule<K extends Op> = (w: OnnxWriter, node: NodeOf<K>, inputs: readonly string[]) => string;

const direct =
  (opType: string) =>
  (w: OnnxWriter, _: unknown, inputs: readonly string[]): string =>
    w.node(opType, inputs);

const rules: { readonly [K in Op]?: FreeRule<K> } = {
  Add: direct('Add'),
  Relu: direct('Relu'),
  Sigmoid: direct('Sigmoid'),
  // Shapes of parameters only: those do not vary.
  Reshape: (w, { attrs: { shape } }, [x]) => w.reshape(x!, shape),
  Conv: (w, { inputs, attrs: { stride, padding } }, names) => {
    const attributes = { kernel_shape: inputs[1]!.shape.slice(2), strides: stride, pads: [...padding, ...padding] };
    return w.node('Conv', names, attributes);
  },
  GroupNorm: (w, { inputs, attrs: { groups, epsilon } }, [x, scale, shift]) => {
    const grouped = w.reshape(x!, [0, groups, -1]);
    const [ones, zeros] = [1, 0].map((value) => w.floats(new Array<number>(groups).fill(value)));
    const normal = w.node('InstanceNormalization', [grouped, ones!, zeros!], { epsilon: { float: epsilon } });
    const restored = w.node('Reshape', [normal, w.node('Shape', [x!])]);
    const perChannel = [-1, ...inputs[0]!.shape.slice(2).map(() => 1)];
    return w.node('Add', [w.node('Mul', [restored, w.reshape(scale!, perChannel)]), w.reshape(shift!, perChannel)]);
  },
  UpsampleLinear: (w, { inputs }, [x]) => {
    const scales = w.floats(inputs[0]!.shape.map((_, i) => (i < 2 ? 1 : 2)));
    return w.node('Resize', [x!, '', scales], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' });
  },
};

/**
 * The bytes of an `.onnx` file. The graph has one input `[N, C, ...spatial]`; its parameters become initializers.
 *
 * @throws ConfigError when the graph has an operator that cannot be written for free sizes
 */
export function toInferenceOnnx(graph: Graph, parameters: NamedTensors): Uint8Array {
  const writer = new OnnxWriter();
  const names = new Map([...graph.inputs, ...graph.parameters].map(([name, value]) => [value.id, name]));
  for (const node of graph.nodes) {
    const rule = rules[node.op] as FreeRule<Op> | undefined;
    if (!rule) throw new ConfigError(`${node.op} cannot be exported for inputs of any size.`);
    const inputs = node.inputs.map((value) => names.get(value.id)!);
    names.set(node.outputs[0]!.id, rule(writer, node, inputs));
  }
  for (const [name, value] of graph.outputs) writer.nameOutput(names.get(value.id)!, name);
  const weights = [...graph.parameters.keys()].map((name): OnnxTensor => {
    const weight = parameters.get(name)!;
    return { name, type: 'float32', dims: weight.shape, bytes: bytesOf(weight) };
  });
  const free = ([name, { shape }]: readonly [string, { readonly shape: readonly number[] }]): OnnxValue => ({
    name,
    dims: shape.map((n, i) => (i === 1 ? n : i === 0 ? 'N' : (['D', 'H', 'W'] as const)[i - shape.length + 3]!)),
  });
  return encodeModel({
    name: 'consilium',
    opset: OPSET,
    inputs: [...graph.inputs].map(free),
    outputs: [...graph.outputs].map(free),
    initializers: [...weights, ...writer.initializers],
    nodes: writer.nodes(),
  });
}
