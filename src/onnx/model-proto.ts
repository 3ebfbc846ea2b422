/**
 * The part of the ONNX file format that is written here, as a protobuf schema
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @module
 */
import { messageType, type ProtoField, type ProtoSchema } from '../util/protobuf';

const one = (type: string, id: number): ProtoField => ({ type, id });
const many = (type: string, id: number): ProtoField => ({ type, id, rule: 'repeated' });

const schema: ProtoSchema = {
  ModelProto: {
    irVersion: one('int64', 1),
    producerName: one('string', 2),
    graph: one('GraphProto', 7),
    opsetImport: many('OperatorSetIdProto', 8),
  },
  OperatorSetIdProto: { domain: one('string', 1), version: one('int64', 2) },
  GraphProto: {
    node: many('NodeProto', 1),
    name: one('string', 2),
    initializer: many('TensorProto', 5),
    input: many('ValueInfoProto', 11),
    output: many('ValueInfoProto', 12),
  },
  NodeProto: {
    input: many('string', 1),
    output: many('string', 2),
    name: one('string', 3),
    opType: one('string', 4),
    attribute: many('AttributeProto', 5),
    domain: one('string', 7),
  },
  AttributeProto: {
    name: one('string', 1),
    f: one('float', 2),
    i: one('int64', 3),
    s: one('bytes', 4),
    floats: many('float', 7),
    ints: many('int64', 8),
    type: one('int32', 20),
  },
  TensorProto: {
    dims: many('int64', 1),
    dataType: one('int32', 2),
    name: one('string', 8),
    rawData: one('bytes', 9),
  },
  ValueInfoProto: { name: one('string', 1), type: one('TypeProto', 2) },
  TypeProto: { tensorType: one('TensorTypeProto', 1) },
  TensorTypeProto: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) },
  TensorShapeProto: { dim: many('DimensionProto', 1) },
  DimensionProto: { dimValue: one('int64', 1), dimParam: one('string', 2) },
};

const modelProto = messageType(schema, 'ModelProto');

export const elementTypes = { float32: 1, int32: 6, int64: 7 } as const;
export type ElementType = keyof typeof elementTypes;

/** An attribute of an ONNX node. Numbers are integers; `{ float }` is a float. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  /** Stands in the runtime's messages: an identifier. Operator and position when omitted. */
  readonly name?: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** A named input or output; a dimension that is a string is free and has that name. */
export interface OnnxValue {
  readonly name: string;
  readonly dims: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  /** Versions of further operator domains that nodes use. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
  readonly nodes: readonly OnnxNode[];
}

/** The oldest IR version that goes with an opset, so that old runtimes can read what they can run. */
const irVersion = (opset: number): number => (opset >= 21 ? 10 : 8);

/** The bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const domains = Object.entries({ '': model.opset, ...model.domains });
  return modelProto.encode({
    irVersion: irVersion(model.opset),
    producerName: 'consilium',
    opsetImport: domains.map(([domain, version]) => ({ domain, version })),
    graph: {
      name: model.name,
      node: model.nodes.map(nodeProto),
      initializer: model.initializers.map(({ name, type, dims, bytes }) => ({
        name,
        dims,
        dataType: elementTypes[type],
        rawData: bytes,
      })),
      input: model.inputs.map(valueProto),
      output: model.outputs.map(valueProto),
    },
  });
}

function nodeProto(node: OnnxNode, index: number): Record<string, unknown> {
  return {
    name: node.name ?? `${node.opType}_${index}`,
    opType: node.opType,
    domain: node.domain,
    input: node.inputs,
    output: node.outputs,
    attribute: Object.entries(node.attributes).map(([name, value]) => ({ name, ...attributeProto(value) })),
  };
}

/** Type numbers of AttributeProto: FLOAT 1, INT 2, STRING 3, INTS 7. */
function attributeProto(value: Attribute): Record<string, unknown> {
  if (typeof value === 'number') return { type: 2, i: value };
  if (typeof value === 'string') return { type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: 1, f: value.float };
  return { type: 7, ints: value };
}

function valueProto({ name, dims }: OnnxValue): Record<string, unknown> {
  const dim = dims.map((n) => (typeof n === 'number' ? { dimValue: n } : { dimParam: n }));
  return { name, type: { tensorType: { elemType: elementTypes.float32, shape: { dim } } } };
}
