/**
 * Cyclic weight transfer (Chang et al. 2018, https://doi.org/10.1093/jamia/ocy017): the model goes from site to site, and
 * each trains it further. Nothing is averaged.
 *
 * @module
 */
import type { Task } from '../protocol/messages';
import { askSites, requireQuorum } from './ask-sites';
import { type RelayOrder, relayOrder } from './sampling';
import { finalEvaluation, type RoundsSpec, trainingRounds } from './training-rounds';
import type { Participation, RoundReport, WorkflowParts, WorkflowState } from './workflow';

export interface CyclicSpec extends RoundsSpec {
  readonly order: RelayOrder;
}

/**
 * Every round all sites validate the model, then it visits them one after the other; a site that fails is passed over. What a
 * site sends goes through its filters, and the server checks it as it checks any update. Yields a report a round, and one more
 * for the finished model.
 */
export async function* cyclic(
  spec: CyclicSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const state = yield* trainingRounds(spec, start, parts, async ({ round, model, memory }, sites) => {
    const validate: Task = { kind: 'validate', round, model };
    const validated = await askSites(validate, parts, spec);
    const trained = new Map<string, Participation>();
    let passed = model;
    for (const site of relayOrder(spec.order, sites, parts.seed, round)) {
      const aggregator = parts.aggregator(passed, round);
      const train: Task = { kind: 'train', round, model: passed, settings: { validate: false } };
      const [turn] = await askSites(train, parts, {
        ...spec,
        minSites: 0,
        sites: [site],
        add: (update) => aggregator.add(update),
      });
      trained.set(site, turn!);
      if (turn!.status === 'ok') passed = await aggregator.finish();
    }
    requireQuorum({ kind: 'train', round }, spec.minSites, [...trained.values()]);
    return { model: passed, memory, sites: validated.map((before) => both(before, trained.get(before.site)!)) };
  });
  yield await finalEvaluation(spec, state, parts);
}

/** How a site took part: the scores of the round's model, and what it said of its training. */
function both(validated: Participation, trained: Participation): Participation {
  if (!trained.update || !validated.update)
    return validated.update ? { ...trained, update: validated.update } : trained;
  const { validate } = validated.update.seconds;
  const seconds = { ...trained.update.seconds, validate };
  const metrics = { ...trained.update.metrics, ...validated.update.metrics };
  return { ...trained, update: { ...trained.update, metrics, seconds } };
}
