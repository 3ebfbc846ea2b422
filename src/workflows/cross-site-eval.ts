/**
 * Cross-site evaluation: every site's own model and the server's models, scored at every site. Whose model serves whom?
 *
 * After some rounds of federated averaging, each site submits the model that it trained last, and all sites score it; then the
 * best global model of the rounds, further checkpoints, and the global model. With no rounds, only these two last.
 *
 * @module
 */
import { validateUpdate } from '../aggregators/validate-update';
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import { askSites } from './ask-sites';
import { crossSiteResult } from './cross-site-matrix';
import { averagingRound } from './fed-avg';
import { metricsOf, type RoundsSpec, trainingRounds } from './training-rounds';
import type { RoundReport, WorkflowParts, WorkflowState } from './workflow';

export interface CrossSiteEvalSpec extends RoundsSpec {
  /** Files of further models, by name. */
  readonly checkpoints: Readonly<Record<string, string>>;
}

/** A model to be scored, fetched only when its turn comes: the server holds one at a time. */
interface Candidate {
  readonly name: string;
  /** `undefined` when its site could not give it. */
  model(): Promise<NamedTensors | undefined>;
}

/** Scores of a model by site; `null` for a site that gave none. */
type Row = Record<string, Metrics | null>;

/** Yields a report a training round, and one for the global model, with the matrix. */
export async function* crossSiteEval(
  spec: CrossSiteEvalSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const state = yield* trainingRounds(spec, start, parts, (before, sites) =>
    averagingRound(spec, before, parts, sites),
  );
  const rows = new Map<string, Row>();
  const score = async (name: string, model: NamedTensors) => {
    const task = { kind: 'validate', round: state.round, model, settings: { model: name } };
    const sites = await askSites(task, parts, spec);
    rows.set(name, Object.fromEntries(sites.map(({ site, update }) => [site, update?.metrics ?? null])));
    return sites;
  };
  for (const { name, model } of candidates(spec, state, parts)) {
    const fetched = await model();
    if (fetched) await score(name, fetched);
  }
  const sites = await score(state.round > 0 ? 'server/final' : 'server/initial', state.model);
  const { round } = state;
  const results = { [crossSiteResult]: matrixOf(spec, parts.sites.names, rows) };
  yield { evaluated: 'after', round, final: true, metrics: metricsOf(sites), sites, results, state };
}

function* candidates(spec: CrossSiteEvalSpec, state: WorkflowState, parts: WorkflowParts): Generator<Candidate> {
  if (state.round > 0) {
    for (const site of parts.sites.names) yield { name: site, model: () => submitted(site, spec, state, parts) };
    yield { name: 'server/best', model: parts.best };
  }
  for (const [name, file] of Object.entries(spec.checkpoints)) yield { name, model: () => parts.loadModel(file) };
}

/** What a site trained last, through its filters. A site that does not answer, or never trained, has no row. */
async function submitted(
  site: string,
  { roundDeadlineSeconds }: CrossSiteEvalSpec,
  { round, model }: WorkflowState,
  parts: WorkflowParts,
): Promise<NamedTensors | undefined> {
  const rules = { reference: model, round, kind: 'weights', maxSteps: Number.MAX_SAFE_INTEGER } as const;
  let own: NamedTensors | undefined;
  await askSites({ kind: 'submit-model', round, model }, parts, {
    minSites: 0,
    roundDeadlineSeconds,
    sites: [site],
    add(update) {
      validateUpdate(update, rules);
      own = update.payload.tensors;
    },
  });
  return own;
}

/** Models in rows, in the order in which they were scored; sites in columns. */
function matrixOf({ keyMetric, keyMetricMode }: CrossSiteEvalSpec, sites: readonly string[], rows: Map<string, Row>) {
  return { keyMetric, keyMetricMode, sites: [...sites], models: [...rows.keys()], scores: Object.fromEntries(rows) };
}
