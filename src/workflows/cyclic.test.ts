import { expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, reportsOf, roundsOf, siteOf, startOf } from '../../test/support/workflow-rig';
import type { Update } from '../protocol/messages';
import type { NamedTensors } from '../tensor/tensor';
import { cyclic } from './cyclic';

const spec = { ...roundsOf(2), order: 'fixed' } as const;

/** Doubles the weight and adds its own number; notes what it is asked. */
function site(name: string, own: number, asked: string[] = []) {
  return siteOf(name, ({ kind, model, settings }) => {
    const [w] = numbersOf(model);
    asked.push(`${name} ${kind} ${w}`);
    if (kind === 'validate') return { metrics: { score: w! } };
    expect(settings).toEqual({ validate: false });
    return { kind: 'weight-diff', tensors: modelOf(w! + own), metrics: { loss: own }, steps: 1 };
  });
}

it('hands the model from site to site, and scores the one each round begins with', async () => {
  const asked: string[] = [];
  const parts = partsOf([site('a', 1, asked), site('b', 10, asked)]);
  const reports = await reportsOf(cyclic(spec, startOf(modelOf(1)), parts));
  // 1 → 2·1 + 1 = 3 → 2·3 + 10 = 16; 16 → 33 → 76.
  expect(reports.map(({ state }) => numbersOf(state.model))).toEqual([[16], [76], [76]]);
  expect(reports.map(({ metrics }) => metrics.score)).toEqual([1, 16, 76]);
  expect(reports[0]!.sites.map(({ update }) => update?.metrics)).toEqual([
    { score: 1, loss: 1 },
    { score: 1, loss: 10 },
  ]);
  expect(asked.slice(0, 4)).toEqual(['a validate 1', 'b validate 1', 'a train 1', 'b train 3']);
});

it('passes over a site that fails, and says so', async () => {
  const failing = siteOf('b', ({ kind }) => {
    if (kind === 'train') throw new Error('out of memory');
    return { metrics: { score: 0 } };
  });
  const parts = partsOf([site('a', 1), failing, site('c', 10)]);
  const [first] = await reportsOf(cyclic({ ...spec, rounds: 1 }, startOf(modelOf(1)), parts));
  expect(numbersOf(first!.state.model)).toEqual([16]);
  expect(first!.sites.map(({ site: name, status }) => `${name} ${status}`)).toEqual(['a ok', 'b failed', 'c ok']);
});

it('fails when too few sites have trained', async () => {
  const parts = partsOf([
    site('a', 1),
    siteOf('b', ({ kind }) => (kind === 'train' ? Promise.reject(new Error('no')) : {})),
  ]);
  const run = reportsOf(cyclic({ ...spec, minSites: 2 }, startOf(modelOf(1)), parts));
  await expect(run).rejects.toThrow(/Round 0 \(train\) needs 2 sites, but only 1 answered: b failed/);
});

it('goes on in the middle of a relay without asking a site again', async () => {
  const kept: { update: Update; model: string }[] = [];
  const keyOf = (model: NamedTensors) => numbersOf(model).join();
  const journal = {
    async *accepted(round: number, model: NamedTensors, sites: readonly string[]) {
      for (const { update, model: key } of kept) {
        if (update.round === round && key === keyOf(model) && sites.includes(update.site)) yield update;
      }
    },
    record: (update: Update, model: NamedTensors) => void kept.push({ update, model: keyOf(model) }),
  };
  const broken = siteOf('b', ({ kind }) => {
    if (kind === 'train') throw new Error('power cut');
    return { metrics: { score: 0 } };
  });
  const first = reportsOf(
    cyclic({ ...spec, minSites: 2 }, startOf(modelOf(1)), partsOf([site('a', 1), broken], { journal })),
  );
  await expect(first).rejects.toThrow('needs 2 sites');
  const asked: string[] = [];
  const parts = partsOf([site('a', 1, asked), site('b', 10, asked)], { journal });
  const [report] = await reportsOf(cyclic({ ...spec, rounds: 1 }, startOf(modelOf(1)), parts));
  expect(numbersOf(report!.state.model)).toEqual([16]);
  expect(asked[0]).toBe('b train 3');
});
