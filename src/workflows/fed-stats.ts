/**
 * Federated statistics in two questions: sums and extremes first; then how the values spread about the mean and over the range
 * of all sites. Each answer is cleansed at its site.
 *
 * @module
 */
import { DataError, UpdateRejectedError } from '../errors';
import type { Task, Update } from '../protocol/messages';
import { type GivenNumbers, type GivenSpread, readNumbers, readSpread } from '../statistics/answers';
import { type BySite, combine, type StatisticsWanted, spreadQuestion } from '../statistics/combine';
import { type NumbersQuestion, type SumWanted, spreadTensors } from '../statistics/questions';
import type { NamedTensors, Tensor } from '../tensor/tensor';
import type { Json } from '../util/json';
import { askSites } from './ask-sites';
import type { Participation, RoundReport, WorkflowParts, WorkflowState } from './workflow';

export interface FedStatsSpec extends StatisticsWanted {
  readonly minSites: number;
  readonly roundDeadlineSeconds: number;
}

/** Yields a report after the first question, unless that is all, and one with the result. */
export async function* fedStats(
  spec: FedStatsSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  let state = start;
  if (state.round === 0) {
    const given: [string, NamedTensors][] = [];
    const question = numbersQuestion(spec);
    const task: Task = { kind: 'statistics', round: 0, model: state.model, settings: question as unknown as Json };
    const add = (update: Update) => {
      parsed(update, numbersReader(question));
      given.push([update.site, update.payload.tensors]);
    };
    const sites = await askSites(task, parts, { ...spec, add });
    const memory = pack(given);
    const numbers = unpack(memory);
    refuseNothing(numbers);
    if (spreadQuestion(numbers, spec).size === 0) {
      const result = combine(numbers, new Map(), new Map(), parts.sites.names, spec);
      yield report(state.round, true, sites, state, result);
      return;
    }
    const { model } = state;
    state = { round: 1, model, memory };
    yield report(0, false, sites, state);
  }
  yield* askSpread(spec, state, parts);
}

/** The second question. What the first one gave is the state's memory. */
async function* askSpread(
  spec: FedStatsSpec,
  { round, model, memory }: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const numbers = unpack(memory);
  const question = spreadQuestion(numbers, spec);
  const spreads = new Map<string, ReadonlyMap<string, GivenSpread>>();
  // As the task's model, so that an answer kept from before an interruption counts only for this very question.
  const task: Task = { kind: 'statistics', round, model: spreadTensors(question), settings: { ask: 'spread' } };
  const add = (update: Update) => {
    const given = parsed(update, readSpread);
    checkSame(update.site, numbers.get(update.site), given);
    spreads.set(update.site, given);
  };
  const sites = await askSites(task, parts, { ...spec, sites: [...numbers.keys()], add });
  const result = combine(numbers, question, spreads, parts.sites.names, spec);
  const state = { round, model, memory: new Map() };
  yield report(state.round, true, sites, state, result);
}

/** Asks for nothing that the result does not need. */
function numbersQuestion({ statistics, features }: FedStatsSpec): NumbersQuestion {
  const asks = (...names: typeof statistics) => names.some((name) => statistics.includes(name));
  const give: SumWanted[] = [];
  if (asks('failure-count')) give.push('failures');
  if (asks('sum', 'mean', 'stddev')) give.push('sum');
  if (asks('min', 'max', 'histogram', 'quantiles')) give.push('range');
  if (asks('quantiles')) give.push('most-bins');
  return { ask: 'numbers', give, ...(features && { features: [...features] }) };
}

const fieldOf = { failures: 'failures', sum: 'sum', range: 'range', 'most-bins': 'mostBins' } as const;

/** Reads an answer that has to hold all that was asked for, and nothing else. */
function numbersReader({ give, features }: NumbersQuestion) {
  return (tensors: NamedTensors): ReadonlyMap<string, GivenNumbers> | string => {
    const given = readNumbers(tensors);
    if (typeof given === 'string') return given;
    for (const [feature, numbers] of given) {
      if (features && !features.includes(feature)) return `nobody asked for '${feature}'`;
      const missing = give.find((what) => numbers[fieldOf[what]] === undefined);
      if (missing !== undefined) return `'${feature}' lacks its ${missing}`;
    }
    return given;
  };
}

/** @throws UpdateRejectedError for an answer that cannot be read. */
function parsed<T>({ site, payload }: Update, read: (tensors: NamedTensors) => T | string): T {
  const given = payload.kind === 'statistics' ? read(payload.tensors) : `it is '${payload.kind}', not 'statistics'`;
  if (typeof given !== 'string') return given;
  throw new UpdateRejectedError(`The statistics of ${site} were refused: ${given}.`);
}

/** @throws UpdateRejectedError when a site gives other features now, or other counts of them: its data changed in between. */
function checkSame(
  site: string,
  before: ReadonlyMap<string, GivenNumbers> | undefined,
  now: ReadonlyMap<string, GivenSpread>,
): void {
  for (const feature of new Set([...(before?.keys() ?? []), ...now.keys()])) {
    const counts = [before?.get(feature)?.count ?? 0, now.get(feature)?.count ?? 0];
    if (counts[0] === counts[1]) continue;
    throw new UpdateRejectedError(
      `The statistics of ${site} were refused: '${feature}' had ${counts[0]} values at the first question and ${counts[1]} at the second.`,
      { hint: "Leave the site's data alone while a run reads them." },
    );
  }
}

/** @throws DataError when no site gave any feature. */
function refuseNothing(given: BySite<GivenNumbers>): void {
  if ([...given.values()].some((features) => features.size > 0)) return;
  throw new DataError('No site gave statistics of any feature.', {
    hint: "A site gives nothing of a feature with fewer cases than trainer.minCount; the sites' logs say what stayed there. Check also workflow.features.",
  });
}

/** The answers to the first question as the workflow's memory: `<site>/<feature>/<what>`. */
function pack(given: readonly [string, NamedTensors][]): NamedTensors {
  // A marker for each site, as one may have answered with nothing.
  return new Map(
    given
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([site, tensors]): [string, Tensor][] => [
        [`${site}/`, { dtype: 'float64', shape: [0], data: new Float64Array(0) }],
        ...[...tensors].map(([name, tensor]): [string, Tensor] => [`${site}/${name}`, tensor]),
      ]),
  );
}

function unpack(memory: NamedTensors): BySite<GivenNumbers> {
  const bySite = new Map<string, Map<string, Tensor>>();
  for (const [name, tensor] of memory) {
    const slash = name.indexOf('/');
    const site = name.slice(0, slash);
    const tensors = bySite.get(site) ?? new Map<string, Tensor>();
    bySite.set(site, tensors);
    if (slash < name.length - 1) tensors.set(name.slice(slash + 1), tensor);
  }
  const read = (site: string, tensors: NamedTensors): ReadonlyMap<string, GivenNumbers> => {
    const given = readNumbers(tensors);
    if (typeof given !== 'string') return given;
    throw new DataError(`The checkpoint's statistics of ${site} cannot be used: ${given}.`, {
      hint: 'Start the run anew without --resume.',
    });
  };
  return new Map([...bySite].map(([site, tensors]) => [site, read(site, tensors)]));
}

function report(
  round: number,
  final: boolean,
  sites: readonly Participation[],
  state: WorkflowState,
  result?: object,
): RoundReport {
  const results = result && { results: { statistics: result as Json } };
  return { evaluated: 'after', round, final, metrics: {}, sites, ...results, state };
}
