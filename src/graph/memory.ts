/**
 * About how much memory a run of a graph needs, from its shapes alone.
 *
 * @module
 */
import { sizeOf } from '../tensor/tensor';
import type { Graph, Value } from './graph';
import type { Op } from './ops';

const BYTES_PER_ELEMENT = 4;

/** Node and the runtime, before they hold any tensor: measured. */
const PROCESS_BYTES = 300 * 2 ** 20;

/**
 * What is lowered to kernels and products that want their operands in a layout of their own: while one runs, a copy of each
 * operand and of the result stands beside them. Slabs and blocks bound the rest.
 */
const COPYING: ReadonlySet<Op> = new Set<Op>([
  ...(['Conv', 'ConvInputGrad', 'ConvWeightGrad', 'UpsampleLinear', 'UpsampleLinearGrad'] as const),
  ...(['GroupNorm', 'GroupNormGrad', 'BatchNorm', 'BatchNormGrad'] as const),
]);

/** Bytes. */
export interface MemoryEstimate {
  /** What is fed: inputs and parameters. */
  readonly fed: number;
  /** The most that computed values take at one time, outputs included. */
  readonly activations: number;
  /** The same with the copies that operators work on. */
  readonly working: number;
  /** Outputs, which the runtime hands out as copies. */
  readonly results: number;
  /** What a process that runs the graph takes: all that, and itself. */
  readonly total: number;
}

/**
 * The peak when nodes run in their order and a value is freed after its last use. A Reshape costs nothing, since it shares
 * its input's numbers.
 *
 * It is a model, and mostly low: the runtime also keeps buffers for later values of the same size. Processes measured took
 * 0.9 to 1.5 times the total (docs/reference/engine-performance.md).
 */
export function estimateMemory(graph: Graph): MemoryEstimate {
  const owner = owners(graph);
  const lastUse = lastUses(graph, owner);
  const fed = [...graph.inputs.values(), ...graph.parameters.values()];
  const fedIds = new Set(fed.map(({ id }) => id));
  let [live, activations, working] = [0, 0, 0];
  const sizes = new Map<number, number>();
  for (const [i, { op, inputs, outputs }] of graph.nodes.entries()) {
    for (const value of outputs) {
      if (owner.get(value.id) !== undefined) continue;
      sizes.set(value.id, bytes(value));
      live += bytes(value);
    }
    activations = Math.max(activations, live);
    working = Math.max(working, live + (COPYING.has(op) ? total([...inputs, ...outputs]) : 0));
    for (const id of new Set([...inputs, ...outputs].map((value) => owner.get(value.id) ?? value.id))) {
      if (fedIds.has(id) || (lastUse.get(id) ?? i) !== i) continue;
      live -= sizes.get(id)!;
    }
  }
  const [fedBytes, results] = [total(fed), total([...graph.outputs.values()])];
  return { fed: fedBytes, activations, working, results, total: PROCESS_BYTES + fedBytes + working + results };
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

function total(values: readonly Value[]): number {
  return values.reduce((sum, value) => sum + bytes(value), 0);
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
