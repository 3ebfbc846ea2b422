/**
 * One site: it carries out a task, passes the result through its filters, and keeps its state on disk before it answers.
 * The same in the simulator and in a real federation.
 *
 * @module
 */
import { errorFromData, errorToData, isConsiliumError, summaryOf, withSummary } from '../errors';
import { applyFilters, type FilterContext } from '../filters/filter';
import { filterModel, filtersFor, type PlacedFilter } from '../filters/placed-filter';
import type { PrivacyCost } from '../privacy/cost';
import type { NoiseSource } from '../privacy/noise-source';
import { summarise } from '../protocol/failure-summary';
import type { Task, Update } from '../protocol/messages';
import type { NamedTensors } from '../tensor/tensor';
import { leaveMemory } from '../tensor/update-memory';
import { type Clock, nodeClock } from '../util/clock';
import type { Executor, ExecutorContext, ExecutorResult, Progress } from './executor';

/** Where a site keeps what later rounds need. */
export interface SiteStateStore {
  /** The newest state saved after a round ≤ `round`, or `undefined` when there is none. */
  load(round: number): Promise<NamedTensors | undefined>;
  /** On disk when it resolves. */
  save(round: number, state: NamedTensors): Promise<void>;
}

/** The site's own account of what its filters have cost. */
export interface SiteLedger {
  spent(filter: string): number;
  /** What was booked for a round so far, in order: by its earlier tasks, or by an attempt whose update was not kept. */
  booked(round: number): readonly PrivacyCost[];
  /** On disk when it resolves. */
  charge(task: Pick<Task, 'round' | 'kind'>, filter: string, cost: PrivacyCost): Promise<void>;
}

export interface SiteParts {
  readonly name: string;
  readonly executor: Executor;
  /** Filters on a received model, in order. */
  readonly filtersIn: readonly PlacedFilter[];
  /** Filters on the way out, in order. */
  readonly filtersOut: readonly PlacedFilter[];
  readonly store: SiteStateStore;
  readonly ledger: SiteLedger;
  /** The source of privacy noise for a round. Only tests give one that can be repeated. */
  readonly noise: (round: number) => NoiseSource;
  /** @default this machine's */
  readonly clock?: Clock;
}

export interface SiteResult {
  readonly update: Update;
  /** Resolves when the state behind the update is on disk: only then may the update leave. Another task may begin before. */
  readonly durable: Promise<void>;
}

export interface Site {
  readonly name: string;
  run(task: Task, context: ExecutorContext): Promise<SiteResult>;
  /** Ends what the executor has started. */
  close(): Promise<void>;
}

export function createSite(parts: SiteParts): Site {
  /** Round after which the executor's state was reached; `undefined` when it must be fetched. */
  let reached: number | undefined;
  const { clock = nodeClock } = parts;
  return { name: parts.name, run, close: async () => parts.executor.close?.() };

  async function run(task: Task, context: ExecutorContext): Promise<SiteResult> {
    const started = clock.monotonicMs();
    await prepareState(task).catch(telling('while it read its state'));
    // A repeated task costs again, and what the first attempt cost stays spent.
    const privacy: PrivacyCost[] = [...parts.ledger.booked(task.round)];
    const filterContext = filterContextOf(task, context, privacy);
    const received = await filterModel(parts.filtersIn, task, parts.name, filterContext).catch(
      telling('in its filters of the received model'),
    );
    const { payload, seconds } = await execute(received, context);
    const durable =
      task.kind === 'train' ? keepState(task.round).catch(telling('while it kept its state')) : Promise.resolve();
    durable.catch(() => {}); // Reported to whoever awaits it; the filter's error comes first.
    const filters = filtersFor(parts.filtersOut, task.kind, parts.name);
    if (filters.length > 0) leaveMemory(payload.tensors); // A filter may keep what it is given.
    const filtered = await applyFilters(filters, payload, filterContext).catch(telling('in the filters of its answer'));
    const spent = (clock.monotonicMs() - started) / 1000;
    const other = Math.max(0, spent - seconds.validate - seconds.train); // Rounded sums may differ in the last bit.
    const update: Update = {
      site: parts.name,
      round: task.round,
      task: task.kind,
      payload: filtered,
      privacy,
      seconds: { ...seconds, other },
    };
    return { update, durable };
  }

  /** An error says how far the work had come. */
  async function execute(task: Task, context: ExecutorContext): Promise<ExecutorResult> {
    let last: Progress | undefined;
    const progress = (reached: Progress) => {
      last = reached;
      context.progress(reached);
    };
    try {
      return await parts.executor.execute(task, { ...context, progress });
    } catch (error) {
      return telling(stageOf(task, last))(located(error, `${parts.name}, round ${task.round}`));
    }
  }

  function filterContextOf(task: Task, { signal }: ExecutorContext, privacy: PrivacyCost[]): FilterContext {
    return {
      site: parts.name,
      task: task.kind,
      round: task.round,
      signal,
      noise: parts.noise(task.round),
      spent: (name) => parts.ledger.spent(name),
      charge: async (name, cost) => {
        await parts.ledger.charge(task, name, cost);
        privacy.push(cost);
      },
    };
  }

  /** What the executor keeps in memory holds for later rounds too: a site need not take part in every one. */
  async function prepareState({ kind, round }: Task): Promise<void> {
    const latest = kind === 'train' ? round - 1 : round;
    if (reached === undefined || reached > latest) {
      parts.executor.restore(await parts.store.load(latest));
      reached = latest;
    }
    if (kind === 'train') reached = undefined; // Until the round is complete, the executor is in between.
  }

  async function keepState(round: number): Promise<void> {
    const state = parts.executor.state();
    if (state) await parts.store.save(round, state);
    reached = round;
  }
}

/** Throws an error on, with what may be told of it at the server, unless it says that itself. */
function telling(stage: string) {
  return (error: unknown): never => {
    throw summaryOf(error) === undefined ? withSummary(error, summarise(error, stage)) : error;
  };
}

function stageOf({ kind }: Task, last: Progress | undefined): string {
  if (last === undefined) return `in its '${kind}' task`;
  const { phase, done, total } = last;
  if (phase === 'train') return `while training, after ${done} of ${total} steps`;
  if (done < total) return `while validating, after ${done} of ${total} cases`;
  return kind === 'train' ? 'before its first training step' : 'after validating';
}

/** What training on the engine throws. Other errors say themselves where they come from. */
const engineErrors = ['NonFiniteError', 'EngineError', 'ShapeError'] as const;

/** An error of the engine says which step and tensor it is about; whose training that was is known here. */
function located(error: unknown, where: string): unknown {
  if (!engineErrors.some((tag) => isConsiliumError(error, tag)) || !isConsiliumError(error)) return error;
  if (error.message.startsWith(where)) return error;
  return errorFromData({ ...errorToData(error), message: `${where}: ${error.message}` });
}
