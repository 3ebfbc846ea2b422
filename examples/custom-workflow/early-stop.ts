import { askSites, defineWorkflow, float32, floatsOf, meanMetrics, roundSettings, z } from '../../src';

/** Federated averaging that ends when the key metric (smaller is better) has not improved for some rounds. */
export const earlyStop = defineWorkflow({
  module: __filename,
  kind: 'example/early-stop',
  options: z.strictObject({ ...roundSettings, patience: z.int().positive() }),
  async *create({ rounds, patience, keyMetric, ...quorum }, start, parts) {
    let state = start;
    // What a run needs to go on after a restart stands in its state: here the best value, and the rounds since then.
    const kept = state.memory.get('patience');
    let [best = Infinity, waited = 0] = kept ? floatsOf(kept) : [];
    while (state.round < rounds && waited < patience) {
      const { round, model } = state;
      const aggregator = parts.aggregator(model, round);
      const task = { kind: 'train', round, model };
      const sites = await askSites(task, parts, { ...quorum, add: (update) => aggregator.add(update) });
      const metrics = meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
      const value = metrics[keyMetric] ?? Infinity;
      [best, waited] = value < best ? [value, 0] : [best, waited + 1];
      const memory = new Map([['patience', float32([2], [best, waited])]]);
      state = { round: round + 1, model: await aggregator.finish(), memory };
      yield { evaluated: 'before', round, final: false, metrics, sites, state };
    }
    const { round, model } = state;
    const sites = await askSites({ kind: 'validate', round, model }, parts, quorum);
    const metrics = meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
    yield { evaluated: 'after', round, final: true, metrics, sites, state };
  },
});
