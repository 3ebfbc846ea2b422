/**
 * A graph as a session on this machine.
 *
 * @module
 */
import type { Graph } from '../graph/graph';
import { estimateMemory } from '../graph/memory';
import { sizeOf } from '../tensor/tensor';
import { toOnnx } from './export';
import { openSession, type Session, type SessionOptions } from './session';
import { targetFor } from './target';

/**
 * From this size of its largest value on, a graph takes its memory from the operating system for each value and gives it
 * back. The runtime's pool would save about a tenth of the time there, but holds a third more than is in use.
 */
const POOLED_BELOW = 64 * 2 ** 20;

/**
 * A session for the graph: the same one, within this process, for equal graphs and options.
 *
 * @throws EngineError when the options are out of range, the provider is missing or the runtime refuses the graph
 */
export async function openGraph(
  graph: Graph,
  options: Omit<SessionOptions, 'pooled' | 'estimatedBytes'>,
): Promise<Session> {
  const largest = Math.max(...graph.nodes.flatMap(({ outputs }) => outputs.map(({ shape }) => 4 * sizeOf(shape))));
  const model = toOnnx(graph, await targetFor(options.provider ?? 'cpu'));
  return openSession(model, {
    ...options,
    pooled: largest < POOLED_BELOW,
    estimatedBytes: estimateMemory(graph).total,
  });
}
