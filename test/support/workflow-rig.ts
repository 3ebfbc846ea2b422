/** Workflows in memory: sites are functions, models are a few numbers. */
import { weightedMean } from '../../src/aggregators/weighted-mean';
import type { Task, Update } from '../../src/protocol/messages';
import type { Payload } from '../../src/protocol/payload';
import { float32, type NamedTensors } from '../../src/tensor/tensor';
import { inMemorySites, type SiteLink } from '../../src/transport/in-memory';
import { nodeClock } from '../../src/util/clock';
import type { RoundReport, WorkflowParts, WorkflowState } from '../../src/workflows/workflow';

/** A model of one tensor `w`. */
export function modelOf(...values: readonly number[]): NamedTensors {
  return new Map([['w', float32([values.length], values)]]);
}

/** Its numbers. */
export function numbersOf(tensors: NamedTensors, name = 'w'): number[] {
  return [...tensors.get(name)!.data].map(Number);
}

export function startOf(model: NamedTensors): WorkflowState {
  return { round: 0, model, memory: new Map() };
}

/** An update with a payload, everything else filled in. */
export function updateOf(site: string, task: Task, payload: Partial<Payload>): Update {
  const filled = { kind: 'metrics', tensors: new Map(), metrics: {}, steps: 0, ...payload } as const;
  const seconds = { validate: 0, train: 0, other: 0 };
  return { site, round: task.round, task: task.kind, payload: filled, privacy: [], seconds };
}

/** A site that answers each task with a payload. */
export function siteOf(name: string, answer: (task: Task) => Partial<Payload> | Promise<Partial<Payload>>): SiteLink {
  return { name, run: async (task) => updateOf(name, task, await answer(task)) };
}

/** The parts of a workflow on these sites. */
export function partsOf(links: readonly SiteLink[], more: Partial<WorkflowParts> = {}): WorkflowParts {
  const siteOrder = links.map(({ name }) => name);
  return {
    sites: inMemorySites(links),
    aggregator: (reference, round, options = {}) =>
      weightedMean({ reference, round, siteOrder, kind: 'weight-diff', maxSteps: 100, ...options }),
    journal: { accepted: () => none(), record: () => {} },
    parameters: new Set(['w']),
    best: async () => undefined,
    loadModel: async (file) => {
      throw new Error(`no file ${file}`);
    },
    seed: 0,
    clock: nodeClock,
    signal: new AbortController().signal,
    ...more,
  };
}

async function* none(): AsyncGenerator<Update> {}

/** What every spec of rounds has. */
export const roundsOf = (rounds: number) =>
  ({ rounds, minSites: 1, roundDeadlineSeconds: 5, keyMetric: 'score', keyMetricMode: 'max' }) as const;

export async function reportsOf(workflow: AsyncIterable<RoundReport>): Promise<RoundReport[]> {
  const reports: RoundReport[] = [];
  for await (const report of workflow) reports.push(report);
  return reports;
}
