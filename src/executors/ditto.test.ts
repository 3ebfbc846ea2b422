import { describe, expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, reportsOf, roundsOf, startOf, updateOf } from '../../test/support/workflow-rig';
import { trainSettings } from '../protocol/train-settings';
import { float32, type NamedTensors } from '../tensor/tensor';
import { fedAvg } from '../workflows/fed-avg';
import { withDitto } from './ditto';
import type { Executor } from './executor';
import { trainerExecutor } from './trainer';

const context = { signal: new AbortController().signal, progress: () => {} };

/** Two steps of rate ½ down a/2·(w − b)² + μ/2·(w − reference)²; its state is how often it has trained. */
function quadratic(a: number, b: number): Executor {
  let trained = 0;
  return trainerExecutor(
    {
      async train(task, { reference = task.model }) {
        const { proximalMu = 0 } = trainSettings(task);
        let [w] = numbersOf(task.model) as [number];
        const [near] = numbersOf(reference) as [number];
        for (let step = 0; step < 2; step++) w -= 0.5 * (a * (w - b) + proximalMu * (w - near));
        trained++;
        return { weights: modelOf(w), steps: 2, metrics: { trained } };
      },
      validate: async ({ model }) => ({ score: numbersOf(model)[0]! }),
      state: () => (trained > 0 ? new Map([['trained', float32([1], [trained])]]) : undefined),
      restore: (state) => {
        trained = state ? numbersOf(state, 'trained')[0]! : 0;
      },
    },
    'weight-diff',
  );
}

function sitesOf(kept: readonly NamedTensors[][] = [[], []]) {
  const pairs = [() => quadratic(1, 0), () => quadratic(0.5, 4)] as const;
  const keep = (i: number) => async (model: NamedTensors) => void kept[i]!.push(model);
  return pairs.map((make, i) => withDitto(make(), make(), { lambda: 1, keep: keep(i) }));
}

const linksOf = (executors: readonly Executor[]) =>
  executors.map((executor, i) => ({
    name: `site-${i}`,
    run: async (task: Parameters<Executor['execute']>[0]) =>
      updateOf(`site-${i}`, task, (await executor.execute(task, context)).payload),
  }));

describe('Ditto', () => {
  it('equals two rounds on two quadratics, computed by hand', async () => {
    const kept: NamedTensors[][] = [[], []];
    const reports = await reportsOf(fedAvg(roundsOf(2), startOf(modelOf(2)), partsOf(linksOf(sitesOf(kept)))));
    // Global: Δ = −1.5 and 0.875; then −1.265625 and 1.01171875: that of federated averaging.
    expect(reports.map(({ state }) => numbersOf(state.model)[0])).toEqual([1.6875, 1.560546875, 1.560546875]);
    // Own: 2 → 1 → 1 and 2 → 2.5 → 2.625 near 2; then → 0.84375 → 0.84375 and → 2.5 → 2.46875 near 1.6875.
    expect(kept.map((models) => models.map((model) => numbersOf(model)[0]))).toEqual([[0.84375], [2.46875]]);
    expect(reports.map(({ metrics }) => [metrics.score, metrics.personal_score])).toEqual([
      [2, 2],
      [1.6875, (1 + 2.625) / 2],
      [1.560546875, (0.84375 + 2.46875) / 2],
    ]);
  });

  it('ends where each site’s own loss and the distance to the global model are least together', async () => {
    const kept: NamedTensors[][] = [[], []];
    const reports = await reportsOf(fedAvg(roundsOf(60), startOf(modelOf(2)), partsOf(linksOf(sitesOf(kept)))));
    const w = numbersOf(reports.at(-1)!.state.model)[0]!;
    // a·(v − b) + λ·(v − w) = 0
    expect(numbersOf(kept[0]![0]!)[0]).toBeCloseTo(w / 2, 5);
    expect(numbersOf(kept[1]![0]!)[0]).toBeCloseTo((0.5 * 4 + w) / 1.5, 5);
  });

  it('goes on after a restart as if never stopped, with the state of both trainers', async () => {
    const straight = sitesOf();
    const task = (round: number, w: number) => ({ kind: 'train', round, model: modelOf(w) }) as const;
    const [before] = straight as [Executor];
    await before.execute(task(0, 2), context);
    const [after] = sitesOf() as [Executor];
    after.restore(before.state());
    const [first, second] = [
      await before.execute(task(1, 1.6875), context),
      await after.execute(task(1, 1.6875), context),
    ];
    expect(second.payload).toEqual(first.payload);
    expect(second.payload.metrics).toMatchObject({ trained: 2, personal_trained: 2, personal_score: 1 });
    expect(after.state()).toEqual(before.state());
    after.restore(undefined);
    expect(after.state()).toBeUndefined();
  });
});
