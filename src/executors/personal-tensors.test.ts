import { describe, expect, it } from 'vitest';
import { numbersOf, partsOf, reportsOf, roundsOf, startOf, updateOf } from '../../test/support/workflow-rig';
import { weightedMean } from '../aggregators/weighted-mean';
import type { Transfer } from '../jobs/trainer-spec';
import { float32, floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import { fedAvg } from '../workflows/fed-avg';
import type { Executor } from './executor';
import { withPersonalTensors } from './personal-tensors';
import { trainerExecutor } from './trainer';

const context = { signal: new AbortController().signal, progress: () => {} };

/** A shared and a personal number, and a personal counter. */
function modelOf(shared: number, own: number, count: number): NamedTensors {
  return new Map<string, Tensor>([
    ['conv', float32([1], [shared])],
    ['norm', float32([1], [own])],
    ['norm.count', { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) }],
  ]);
}

const [conv, norm, counted] = ['conv', 'norm', 'norm.count'] as const;
const all = (model: NamedTensors) => [conv, norm, counted].map((name) => Number(model.get(name)!.data[0]));

/** A site whose training adds `change` to the shared number and doubles its own, and which says what it was given. */
function site(
  change: number,
  transfer: Transfer,
  kept: NamedTensors[] = [],
): { executor: Executor; given: number[][] } {
  const given: number[][] = [];
  const trainer: Executor = trainerExecutor(
    {
      async train({ model }) {
        given.push(all(model));
        const [shared, own, count] = all(model) as [number, number, number];
        return { weights: modelOf(shared + change, 2 * own, count + 1), steps: 1 };
      },
      validate: async ({ model }) => ({ score: floatsOf(model.get(norm)!)[0]! }),
    },
    transfer,
  );
  const executor = withPersonalTensors(trainer, {
    personalOf: () => new Set([norm, counted]),
    keep: async (model) => void kept.push(model),
  });
  return { executor, given };
}

const train = (model: NamedTensors, round = 0) => ({ kind: 'train', round, model }) as const;

describe('personal tensors', () => {
  it('are those that came at first, and afterwards the site’s own, in training and in validation', async () => {
    const { executor, given } = site(1, 'weight-diff');
    const first = await executor.execute(train(modelOf(10, 3, 0)), context);
    const second = await executor.execute(train(modelOf(20, 100, 50), 1), context);
    expect(given).toEqual([
      [10, 3, 0],
      [20, 6, 1],
    ]);
    expect([first.payload.metrics.score, second.payload.metrics.score]).toEqual([3, 6]);
  });

  it('leave as the difference to what came, so that the mean at the server is that of the sites’ models', async () => {
    const { executor } = site(1, 'weight-diff');
    await executor.execute(train(modelOf(10, 3, 0)), context);
    const { payload } = await executor.execute(train(modelOf(20, 100, 50), 1), context);
    // Trained to 21, 12 and 2.
    expect(all(payload.tensors)).toEqual([1, 12 - 100, 2 - 50]);
    const weights = site(1, 'weights').executor;
    await weights.execute(train(modelOf(10, 3, 0)), context);
    const full = await weights.execute(train(modelOf(20, 100, 50), 1), context);
    expect(all(full.payload.tensors)).toEqual([21, 12, 2]);
  });

  it.each<Transfer>(['weight-diff', 'weights'])(
    'make rounds with two sites that a hand computed, by %s',
    async (transfer) => {
      const kept = [[], []] as NamedTensors[][];
      const executors = [site(1, transfer, kept[0]).executor, site(3, transfer, kept[1]).executor];
      const links = executors.map((executor, i) => ({
        name: `site-${i}`,
        run: async (task: Parameters<Executor['execute']>[0]) =>
          updateOf(`site-${i}`, task, (await executor.execute(task, context)).payload),
      }));
      const siteOrder = links.map(({ name }) => name);
      const parts = partsOf(links, {
        aggregator: (reference, round, more = {}) =>
          weightedMean({ reference, round, siteOrder, kind: transfer, maxSteps: 100, ...more }),
      });
      const reports = await reportsOf(fedAvg(roundsOf(2), startOf(modelOf(10, 3, 0)), parts));
      // Shared: 10 + (1 + 3)/2 a round. Own: 3, doubled each round, at both.
      expect(reports.map(({ state }) => all(state.model))).toEqual([
        [12, 6, 1],
        [14, 12, 2],
        [14, 12, 2],
      ]);
      expect(kept.map((models) => models.map(all))).toEqual([[[14, 12, 2]], [[14, 12, 2]]]);
    },
  );

  it('survive a restart in the site’s state, beside the trainer’s own', async () => {
    const before = site(1, 'weight-diff').executor;
    await before.execute(train(modelOf(10, 3, 0)), context);
    const after = site(1, 'weight-diff');
    after.executor.restore(before.state());
    await after.executor.execute(train(modelOf(20, 100, 50), 1), context);
    expect(after.given).toEqual([[20, 6, 1]]);
    after.executor.restore(undefined);
    await after.executor.execute(train(modelOf(20, 100, 50), 1), context);
    expect(after.given[1]).toEqual([20, 100, 50]);
  });

  it('are kept as a whole model at the validation, with what the server sent for the rest', async () => {
    const kept: NamedTensors[] = [];
    const { executor } = site(1, 'weight-diff', kept);
    await executor.execute(train(modelOf(10, 3, 0)), context);
    const { payload } = await executor.execute({ kind: 'validate', round: 1, model: modelOf(7, 8, 9) }, context);
    expect(payload.metrics.score).toBe(6);
    expect(kept.map(all)).toEqual([[7, 6, 1]]);
  });

  it('change nothing of the memory in which training code keeps its tensors', async () => {
    const mine = modelOf(5, 6, 7);
    const inner = trainerExecutor({ train: async () => ({ weights: mine, steps: 1 }) }, 'weight-diff');
    const executor = withPersonalTensors(inner, { personalOf: () => new Set([norm]), keep: async () => {} });
    await executor.execute(train(modelOf(1, 1, 1)), context);
    (floatsOf(mine.get(norm)!) as Float32Array)[0] = 99;
    expect(numbersOf(executor.state()!, `personal/${norm}`)).toEqual([6]);
    expect(all(mine)).toEqual([5, 99, 7]);
  });

  it('are found in the sum of what came and what changed, where the trainer gives the change only', async () => {
    const payload = { kind: 'weight-diff', tensors: modelOf(1, 2, 3), metrics: {}, steps: 1 } as const;
    const inner: Executor = {
      execute: async () => ({ payload, seconds: { validate: 0, train: 0 } }),
      state: () => undefined,
      restore: () => {},
    };
    const executor = withPersonalTensors(inner, { personalOf: () => new Set([norm, counted]), keep: async () => {} });
    await executor.execute(train(modelOf(10, 20, 30)), context);
    expect(numbersOf(executor.state()!, `personal/${norm}`)).toEqual([22]);
    expect(numbersOf(executor.state()!, `personal/${counted}`)).toEqual([33]);
    await executor.execute(train(modelOf(0, 0, 0), 1), context);
    expect(numbersOf(executor.state()!, `personal/${norm}`)).toEqual([24]);
  });
});
