import { describe, expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, reportsOf, roundsOf, siteOf, startOf } from '../../test/support/workflow-rig';
import { crossSiteEval } from './cross-site-eval';
import { crossSiteResult } from './cross-site-matrix';
import { fedEval } from './fed-eval';

const spec = { ...roundsOf(1), checkpoints: {} };

/** Trains to its own number, and scores how near a model is to it. */
function site(name: string, own: number) {
  return siteOf(name, ({ kind, model }) => {
    const [w] = numbersOf(model);
    if (kind === 'submit-model') return { kind: 'weights', tensors: modelOf(own), steps: 1 };
    const metrics = { score: -Math.abs(w! - own) };
    if (kind === 'validate') return { metrics };
    return { kind: 'weight-diff', tensors: modelOf(own - w!), metrics, steps: 1 };
  });
}

describe('cross-site evaluation', () => {
  it("scores every site's own model and the server's models at every site", async () => {
    const initial = modelOf(0);
    const parts = partsOf([site('a', 1), site('b', 3)], {
      best: async () => initial,
      loadModel: async () => modelOf(3),
    });
    const reports = await reportsOf(
      crossSiteEval({ ...spec, checkpoints: { theirs: 'their.pt' } }, startOf(initial), parts),
    );
    expect(reports.map(({ round, final, metrics }) => [round, final, metrics.score])).toEqual([
      [0, false, -2],
      [1, true, -1],
    ]);
    const score = (value: number) => ({ score: value === 0 ? -0 : value });
    expect(reports[1]!.results![crossSiteResult]).toEqual({
      keyMetric: 'score',
      keyMetricMode: 'max',
      sites: ['a', 'b'],
      models: ['a', 'b', 'server/best', 'theirs', 'server/final'],
      scores: {
        a: { a: score(0), b: score(-2) },
        b: { a: score(-2), b: score(0) },
        'server/best': { a: score(-1), b: score(-3) },
        theirs: { a: score(-2), b: score(0) },
        'server/final': { a: score(-1), b: score(-1) },
      },
    });
  });

  it('leaves out the model of a site that cannot give it, or gives another one', async () => {
    const failing = siteOf('b', ({ kind, model }) => {
      if (kind === 'submit-model') throw new Error('a filter blocked it');
      return kind === 'train'
        ? { kind: 'weight-diff', tensors: modelOf(0), steps: 1 }
        : { metrics: { score: numbersOf(model)[0]! } };
    });
    const odd = siteOf('c', ({ kind }) => {
      if (kind === 'submit-model') return { kind: 'weights', tensors: modelOf(1, 2), steps: 1 };
      return kind === 'train' ? { kind: 'weight-diff', tensors: modelOf(0), steps: 1 } : { metrics: { score: 1 } };
    });
    const reports = await reportsOf(crossSiteEval(spec, startOf(modelOf(0)), partsOf([site('a', 1), failing, odd])));
    expect(reports[1]!.results![crossSiteResult]).toMatchObject({ models: ['a', 'server/final'] });
  });

  it('without rounds scores the given checkpoints and the model of the job', async () => {
    const parts = partsOf([site('a', 1), site('b', 3)], { loadModel: async (file) => modelOf(Number(file)) });
    const checkpoints = { two: '2', three: '3' };
    const [report] = await reportsOf(crossSiteEval({ ...spec, rounds: 0, checkpoints }, startOf(modelOf(1)), parts));
    expect(report!.results![crossSiteResult]).toMatchObject({ models: ['two', 'three', 'server/initial'] });
    expect(report).toMatchObject({ round: 0, final: true, metrics: { score: -1 } });
  });
});

it('federated evaluation scores the model at every site and trains nothing', async () => {
  const reports = await reportsOf(fedEval(roundsOf(0), startOf(modelOf(1)), partsOf([site('a', 1), site('b', 3)])));
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ round: 0, final: true, metrics: { score: -1 } });
  expect(reports[0]!.sites.map(({ update }) => update?.task)).toEqual(['validate', 'validate']);
});
