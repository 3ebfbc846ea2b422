/**
 * The outputs of a graph in few pieces: what leaves a device costs a round trip a piece, however small.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import type { Graph, Node, Value } from './graph';

/** Where an output stands: which piece, and from which of its numbers on. */
interface Place {
  readonly piece: string;
  readonly from: number;
  readonly size: number;
}

export interface PackedGraph {
  readonly graph: Graph;
  /** The names of the pieces that hold the given outputs. */
  piecesOf(outputs: readonly string[]): readonly string[];
  /** An output, copied out of the pieces. */
  unpack(output: string, pieces: ReadonlyMap<string, Float32Array>): Float32Array;
}

/** Numbers in a piece at most, unless one output has more: 128 MiB, which every device binds. */
const PIECE = 2 ** 25;

/** The same computation, whose outputs are all given outputs one after the other, in pieces. */
export function packOutputs(graph: Graph): PackedGraph {
  const places = new Map<string, Place>();
  const parts = new Map<string, Value[]>();
  const nodes: Node[] = [...graph.nodes];
  const values = [...graph.inputs.values(), ...graph.parameters.values(), ...nodes.flatMap(({ outputs }) => outputs)];
  let nextId = 1 + values.reduce((most, { id }) => Math.max(most, id), 0);
  const write = (node: Omit<Extract<Node, { op: 'Reshape' | 'Concat' }>, 'outputs' | 'layer'>, shape: Shape): Value => {
    const value: Value = { id: nextId++, dtype: 'float32', shape };
    nodes.push({ ...node, outputs: [value], layer: '' } as Node);
    return value;
  };
  let [piece, filled] = ['packed.0', 0];
  for (const [name, value] of graph.outputs) {
    const size = sizeOf(value.shape);
    if (filled > 0 && filled + size > PIECE) [piece, filled] = [`packed.${parts.size}`, 0];
    const flat = write({ op: 'Reshape', inputs: [value], attrs: { shape: [size] } }, [size]);
    parts.set(piece, [...(parts.get(piece) ?? []), flat]);
    places.set(name, { piece, from: filled, size });
    filled += size;
  }
  const outputs = new Map<string, Value>();
  for (const [name, inputs] of parts) {
    const length = inputs.reduce((sum, { shape }) => sum + shape[0]!, 0);
    outputs.set(name, write({ op: 'Concat', inputs, attrs: { axis: 0 } }, [length]));
  }
  return {
    graph: { ...graph, nodes, outputs },
    piecesOf: (names) => [...new Set(names.map((name) => places.get(name)!.piece))],
    unpack(output, pieces) {
      const { piece, from, size } = places.get(output)!;
      return pieces.get(piece)!.slice(from, from + size);
    },
  };
}
