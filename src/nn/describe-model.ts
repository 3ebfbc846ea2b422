/**
 * What a model is made of and what it costs, read off its graphs.
 *
 * @module
 */
import { Builder } from '../graph/builder';
import { differentiate } from '../graph/differentiate';
import type { Node, Value } from '../graph/graph';
import { macsOf } from '../graph/macs';
import { estimateMemory } from '../graph/memory';
import { type Shape, sizeOf } from '../tensor/tensor';
import { applyForInference, applyForTraining, conditionInputs, declareModel } from './apply-model';
import { assertImageShape } from './checks';
import type { Model } from './models/definition';

export interface LayerDescription {
  /** Path in the model, as in the names of its tensors. */
  readonly layer: string;
  /** Of the layer's last operator. */
  readonly output: Shape;
  /** Numbers trained in this layer. */
  readonly parameters: number;
  /** Multiply–accumulates of one forward pass. */
  readonly macs: number;
}

export interface ModelDescription {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly input: Shape;
  readonly output: Shape;
  /** In the order in which they first compute. */
  readonly layers: readonly LayerDescription[];
  /** Tensors of the state, buffers included. */
  readonly tensors: number;
  /** Numbers trained. */
  readonly parameters: number;
  /** Multiply–accumulates of one forward pass. */
  readonly macs: number;
  /** Bytes of the parameters and buffers. */
  readonly stateBytes: number;
  /** Bytes of the activations that the backward pass of a training step reads: what grows with the image. */
  readonly activationBytes: number;
  /**
   * Bytes that a process needs about for a training step, forward and backward: without the optimiser and the loss's own
   * values. See `estimateMemory` for what that is worth.
   */
  readonly stepBytes: number;
}

/**
 * The layers of a model for images of one shape, `[N, inChannels, ...spatial]`.
 *
 * @throws ShapeError when the shape does not fit the model
 */
export function describeModel(model: Model, input: Shape): ModelDescription {
  assertImageShape(model, input);
  const b = new Builder();
  const output = applyForInference(b, model, declareModel(b, model), inputsOf(b, model, input));
  b.output('output', output);
  const layers = layersOf(model, b.build().nodes);
  const { parameters, buffers = [] } = model;
  const numbers = sum(parameters.map(({ shape }) => sizeOf(shape)));
  const buffered = sum(buffers.map(({ shape, dtype }) => sizeOf(shape) * (dtype === 'int64' ? 8 : 4)));
  return {
    kind: model.kind,
    options: model.options,
    input,
    output: output.shape,
    layers,
    tensors: parameters.length + buffers.length,
    parameters: numbers,
    macs: sum(layers.map(({ macs }) => macs)),
    stateBytes: 4 * numbers + buffered,
    ...trainingBytes(model, input),
  };
}

function layersOf(model: Model, nodes: readonly Node[]): readonly LayerDescription[] {
  const byLayer = new Map<string, { output: Shape; macs: number }>();
  for (const node of nodes) {
    if (node.op === 'Constant') continue;
    const macs = (byLayer.get(node.layer)?.macs ?? 0) + macsOf(node);
    byLayer.set(node.layer, { output: node.outputs[0]!.shape, macs });
  }
  const numbers = new Map<string, number>();
  for (const { name, shape } of model.parameters) {
    const layer = name.slice(0, Math.max(0, name.lastIndexOf('.')));
    numbers.set(layer, (numbers.get(layer) ?? 0) + sizeOf(shape));
  }
  return [...byLayer].map(([layer, { output, macs }]) => ({
    layer,
    output,
    parameters: numbers.get(layer) ?? 0,
    macs,
  }));
}

/**
 * Of a step whose loss is a sum of squares: values of the forward pass, and inputs, that the backward pass reads; and what
 * a process needs.
 */
function trainingBytes(model: Model, input: Shape): Pick<ModelDescription, 'activationBytes' | 'stepBytes'> {
  const b = new Builder();
  const values = declareModel(b, model);
  const inputs = inputsOf(b, model, input);
  const masks: Value[] = [];
  const { result } = applyForTraining(b, model, values, inputs, (site, shape) => {
    const mask = b.input(`mask.${site.name}`, shape);
    masks.push(mask);
    return mask;
  });
  const loss = b.reduceSum(b.mul(result, result));
  const forward = new Set(b.nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
  const parameters = [...values.parameters.values()];
  for (const [i, gradient] of differentiate(b, b.reshape(loss, []), parameters).entries()) {
    b.output(`gradient.${i}`, gradient);
  }
  const graph = b.build();
  const kept = keptNumbers(graph.nodes, new Set([...forward, inputs.image.id, ...masks.map(({ id }) => id)]));
  return { activationBytes: 4 * kept, stepBytes: estimateMemory(graph).total };
}

/** Reshaped values count once. */
function keptNumbers(nodes: readonly Node[], forward: ReadonlySet<number>): number {
  const original = new Map<number, Value>();
  const kept = new Map<number, number>();
  for (const { op, inputs, outputs } of nodes) {
    if (op === 'Reshape') original.set(outputs[0]!.id, original.get(inputs[0]!.id) ?? inputs[0]!);
    if (op === 'Constant' || forward.has(outputs[0]!.id)) continue;
    for (const value of inputs) {
      const root = original.get(value.id) ?? value;
      if (forward.has(root.id)) kept.set(root.id, sizeOf(root.shape));
    }
  }
  return sum([...kept.values()]);
}

function inputsOf(b: Builder, model: Model, input: Shape) {
  return { image: b.input('image', input), conditions: conditionInputs(b, model, input[0]!) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
