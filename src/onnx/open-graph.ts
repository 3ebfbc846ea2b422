/**
 * A graph as a session on this machine.
 *
 * @module
 */
import { EngineError } from '../errors';
import type { Graph } from '../graph/graph';
import { estimateMemory, formatBytes } from '../graph/memory';
import { packOutputs } from '../graph/pack-outputs';
import { sizeOf } from '../tensor/tensor';
import { collectGarbage } from '../util/collect-garbage';
import { loadModule } from '../util/load-module';
import { parseProvider } from './provider';
import { openSession, type Session, type SessionOptions } from './session';

/**
 * From this size of its largest value on, a graph takes its memory from the operating system for each value and gives it
 * back. The runtime's pool would save about a tenth of the time there, but holds a third more than is in use.
 */
const POOLED_BELOW = 64 * 2 ** 20;

/**
 * A session for the graph. Equal graphs and options share one within this process.
 *
 * @throws EngineError when the options are out of range, the provider is missing or the runtime refuses the graph; when
 * memory runs out, then or in a run, it says about how much is needed
 */
export async function openGraph(graph: Graph, options: Omit<SessionOptions, 'pooled'>): Promise<Session> {
  const onDevice = parseProvider(options.provider ?? 'cpu').kind !== 'cpu';
  return (onDevice && graph.outputs.size > 1 ? openPacked : openWritten)(graph, options);
}

/** Whose outputs leave the device in few pieces. */
async function openPacked(graph: Graph, options: Omit<SessionOptions, 'pooled'>): Promise<Session> {
  const packed = packOutputs(graph);
  const session = await openWritten(packed.graph, options);
  return {
    async run(feeds, fetches = [...graph.outputs.keys()]) {
      const pieces = await session.run(feeds, packed.piecesOf(fetches));
      return new Map(fetches.map((name) => [name, packed.unpack(name, pieces)]));
    },
  };
}

async function openWritten(graph: Graph, options: Omit<SessionOptions, 'pooled'>): Promise<Session> {
  const largest = Math.max(...graph.nodes.flatMap(({ outputs }) => outputs.map(({ shape }) => 4 * sizeOf(shape))));
  // What writes the file is large, and loaded with the first graph: importing the library stays quick.
  const { toOnnx } = await loadModule<typeof import('./export')>(__dirname, 'export');
  const { targetFor } = await loadModule<typeof import('./target')>(__dirname, 'target');
  const model = toOnnx(graph, await targetFor(options.provider ?? 'cpu'));
  const explain = (error: unknown): never => {
    throw isOutOfMemory(error) ? outOfMemory(error, graph) : error;
  };
  const pooled = largest < POOLED_BELOW;
  const session = await openSession(model, { ...options, pooled }).catch(explain);
  return {
    run(feeds, fetches) {
      // What earlier runs returned and nobody uses any more would stand beside this run's memory.
      if (!pooled) collectGarbage();
      return session.run(feeds, fetches).catch(explain);
    },
  };
}

/**
 * Runtimes say so in words only: onnxruntime in those of its allocators and of its language, Node in its own. WebGPU goes on
 * without a buffer that it could not make, refuses one larger than the device binds, or binds it in too many parts.
 */
export function isOutOfMemory(error: unknown): error is Error {
  const words =
    /failed to allocate|bad[ _]?alloc|out of memory|array buffer allocation failed|\[invalid buffer|max buffer size limit|too many storage buffers/i;
  return error instanceof Error && words.test(error.message);
}

function outOfMemory(cause: Error, graph: Graph): EngineError {
  const needed = formatBytes(estimateMemory(graph).total);
  return new EngineError(
    `There is not enough memory for a run whose process needs about ${needed} or up to half more. ${cause.message}`,
    {
      cause,
      hint: 'Lower --roi_size (or --infer_roi_size), or --threads: the sites that work at the same time.',
    },
  );
}
