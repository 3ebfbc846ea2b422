/**
 * A written step ready to run: one session, whose results are checked before a state sees them.
 *
 * @module
 */
import { NonFiniteError } from '../errors';
import type { Graph } from '../graph/graph';
import { eliminateDeadCode } from '../graph/passes';
import { openGraph } from '../onnx/open-graph';
import type { Feed } from '../onnx/session';
import { allFinite, firstNonFinite } from './diagnose';
import { advance } from './step-feeds';
import type { WrittenStep } from './step-writer';
import type { TrainingState } from './training-state';

export interface EngineOptions {
  /** Threads inside an operator; the results do not depend on it. */
  readonly threads: number;
  /** `cpu` (default), `webgpu`, `cuda` or `cuda:<device>`. */
  readonly provider?: string;
}

export interface StepSession {
  /**
   * Runs the step, checks that every result is finite but those only observed, then replaces what the step changed in the states.
   *
   * @returns all results by name
   * @throws NonFiniteError naming the first tensor that is not finite; EngineError when the runtime fails. The states are
   * as before then
   */
  run(
    states: ReadonlyMap<string, TrainingState>,
    feeds: ReadonlyMap<string, Feed>,
  ): Promise<ReadonlyMap<string, Float32Array>>;
}

/** @throws EngineError when the options are out of range or the runtime refuses the graph */
export async function openStep(
  written: WrittenStep,
  { threads, provider = 'cpu' }: EngineOptions,
): Promise<StepSession> {
  const { graph } = written;
  const observed = new Set(written.observed);
  const options = { threads, provider };
  const session = await openGraph(graph, options);
  return {
    async run(states, feeds) {
      const results = await session.run(feeds);
      const broken = [...results].find(([name, data]) => !observed.has(name) && !allFinite(data));
      if (broken) {
        const steps = [...states.values()].map(({ step }) => step + 1);
        const origin = await firstNonFinite(without(graph, observed), feeds, options);
        throw nonFinite(broken, Math.max(...steps), origin);
      }
      for (const [name, network] of written.networks) advance(network, states.get(name)!, results);
      return results;
    },
  };
}

/** The graph without some outputs and what only they need: that is not to blame. */
function without(graph: Graph, outputs: ReadonlySet<string>): Graph {
  if (outputs.size === 0) return graph;
  const kept = new Map([...graph.outputs].filter(([name]) => !outputs.has(name)));
  return eliminateDeadCode({ ...graph, outputs: kept });
}

function nonFinite(
  [name, data]: readonly [string, Float32Array],
  step: number,
  origin = 'not to be found again',
): Error {
  const what = data.length === 1 ? `'${name}' is ${data[0]}` : `'${name}' has numbers that are not finite`;
  return new NonFiniteError(
    `In step ${step}, ${what}. The first tensor that is not finite: ${origin}. The state is as before the step.`,
    { hint: 'Lower the learning rate or clip the gradients, and look for extreme intensities in the images.' },
  );
}
