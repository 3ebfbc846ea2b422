/**
 * How much memory a run of a graph needs, from its shapes alone.
 *
 * @module
 */
import { sizeOf } from '../tensor/tensor';
import type { Graph, Value } from './graph';

const BYTES_PER_ELEMENT = 4;

/** Bytes. */
export interface MemoryEstimate {
  /** What is fed: inputs and parameters. */
  readonly fed: number;
  /** The most that computed values take at one time, outputs included. */
  readonly activations: number;
  readonly total: number;
}

/**
 * The peak when nodes run in their order and a value is freed after its last use. A Reshape costs nothing, since it shares
 * its input's numbers. What operators use inside, and what a runtime's allocator keeps, comes on top.
 */
export function estimateMemory(graph: Graph): MemoryEstimate {
  const owner = owners(graph);
  const lastUse = lastUses(graph, owner);
  const fed = [...graph.inputs.values(), ...graph.parameters.values()];
  const fedIds = new Set(fed.map(({ id }) => id));
  let [live, peak] = [0, 0];
  const sizes = new Map<number, number>();
  for (const [i, { inputs, outputs }] of graph.nodes.entries()) {
    for (const value of outputs) {
      if (owner.get(value.id) !== undefined) continue;
      sizes.set(value.id, bytes(value));
      live += bytes(value);
    }
    peak = Math.max(peak, live);
    for (const id of new Set([...inputs, ...outputs].map((value) => owner.get(value.id) ?? value.id))) {
      if (fedIds.has(id) || (lastUse.get(id) ?? i) !== i) continue;
      live -= sizes.get(id)!;
    }
  }
  const fedBytes = fed.reduce((sum, value) => sum + bytes(value), 0);
  return { fed: fedBytes, activations: peak, total: fedBytes + peak };
}

/** For each value that shares another's numbers, whose. */
function owners(graph: Graph): ReadonlyMap<number, number> {
  const owner = new Map<number, number>();
  for (const { op, inputs, outputs } of graph.nodes) {
    if (op === 'Reshape') owner.set(outputs[0]!.id, owner.get(inputs[0]!.id) ?? inputs[0]!.id);
  }
  return owner;
}

/** The index of the last node that reads each owner; past the end for outputs of the graph. */
function lastUses(graph: Graph, owner: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  const use = (value: Value, i: number): void => void last.set(owner.get(value.id) ?? value.id, i);
  for (const [i, { inputs }] of graph.nodes.entries()) for (const value of inputs) use(value, i);
  for (const value of graph.outputs.values()) use(value, graph.nodes.length);
  return last;
}

function bytes({ shape }: Value): number {
  return BYTES_PER_ELEMENT * sizeOf(shape);
}

/** Bytes as people read them, in powers of 1024: `3.2 GiB`. */
export function formatBytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.max(Math.floor(Math.log2(Math.max(count, 1)) / 10), 0), units.length - 1);
  const value = count / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
