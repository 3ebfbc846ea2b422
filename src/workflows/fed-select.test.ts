import { describe, expect, it } from 'vitest';
import { partsOf, reportsOf, roundsOf, startOf, updateOf } from '../../test/support/workflow-rig';
import type { Executor } from '../executors/executor';
import { withOwnNumbers } from '../executors/fed-select';
import { trainerExecutor } from '../executors/trainer';
import { float32, floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import { fedAvg } from './fed-avg';
import { fedSelect } from './fed-select';

const context = { signal: new AbortController().signal, progress: () => {} };
const parameters = new Set(['a.weight', 'a.bias']);

function modelOf(weight: readonly number[], bias: number, mean: number): NamedTensors {
  return new Map([
    ['a.weight', float32([4], weight)],
    ['a.bias', float32([1], [bias])],
    ['a.running_mean', float32([1], [mean])],
  ]);
}

const all = (model: NamedTensors) => [...model.values()].flatMap(({ data }) => [...data].map(Number));

/** Adds the same to the model whenever it trains. */
function adding(change: readonly number[], steps: number): Executor {
  return trainerExecutor(
    {
      async train({ model }) {
        const moved = [...model].map(([name, { shape, data }], t) => {
          const first = t === 0 ? 0 : 3 + t;
          return [
            name,
            float32(
              shape,
              Float32Array.from(data as Float32Array, (w, i) => w + change[first + i]!),
            ),
          ] as const;
        });
        return { weights: new Map(moved), steps };
      },
      validate: async () => ({}),
    },
    'weight-diff',
  );
}

const changes = [
  [4, 1, 2, 0, 8, 1],
  [0, 2, 1, 6, 0, 3],
] as const;

function sitesOf(kept: NamedTensors[] = [], steps = [1, 1], more = {}): Executor[] {
  return changes.map((change, i) => {
    const keep = async (model: NamedTensors) => void kept.splice(i, 1, model);
    const options = { every: 1, share: 0.5, most: 0.8, parametersOf: () => parameters, keep, ...more };
    return withOwnNumbers(adding(change, steps[i]!), options);
  });
}

const partsFor = (executors: readonly Executor[]) =>
  partsOf(
    executors.map((executor, i) => ({
      name: `site-${i}`,
      run: async (task) => updateOf(`site-${i}`, task, (await executor.execute(task, context)).payload),
    })),
    { parameters },
  );

const start = () => startOf(modelOf([0, 0, 0, 0], 0, 0));

describe('FedSelect', () => {
  it('equals three rounds with two sites, computed by hand', async () => {
    const kept = [new Map(), new Map()] as NamedTensors[];
    const reports = await reportsOf(fedSelect(roundsOf(3), start(), partsFor(sitesOf(kept))));
    expect(reports.map(({ state }) => all(state.model))).toEqual([
      // All is shared, and nothing is chosen in the first round.
      [2, 1.5, 1.5, 3, 4, 2],
      // Then site 0 chooses its first and third, and site 1 its last and second.
      [4, 3, 3, 6, 8, 4],
      // Each number has the change of the one site that shares it: 0, 1, 1 and 0.
      [4, 4, 4, 6, 12, 6],
      [4, 4, 4, 6, 12, 6],
    ]);
    // Of the two that are left, each has chosen the one that moved further.
    expect(kept.map(all)).toEqual([
      [10, 4, 5.5, 6, 12, 6],
      [4, 5.5, 4, 15, 12, 6],
    ]);
  });

  it('is federated averaging as long as nothing is chosen, to the bit', async () => {
    const plain = changes.map((change, i) =>
      adding(
        change.map((x) => x / 3),
        [1, 2][i]!,
      ),
    );
    const none = changes.map((change, i) => {
      const options = { every: 9, share: 0.5, most: 0.8, parametersOf: () => parameters, keep: async () => {} };
      return withOwnNumbers(
        adding(
          change.map((x) => x / 3),
          [1, 2][i]!,
        ),
        options,
      );
    });
    const [averaged, selected] = [
      await reportsOf(fedAvg(roundsOf(3), start(), partsFor(plain))),
      await reportsOf(fedSelect(roundsOf(3), start(), partsFor(none))),
    ];
    expect(selected.at(-1)!.state.model).toEqual(averaged.at(-1)!.state.model);
  });

  it('averages a number over the sites that share it, weighted by their steps, and leaves one that nobody shares', async () => {
    // Of three sites two share the number, with 1 and 3 steps; nobody shares the last.
    const masks = [
      [0, 0, 0, 1],
      [1, 0, 0, 1],
      [0, 0, 0, 1],
    ];
    const steps = [1, 2, 3];
    const executors = masks.map((mask, i) => {
      const options = { every: 1, share: 0.5, most: 0.8, parametersOf: () => parameters, keep: async () => {} };
      const executor = withOwnNumbers(adding([4 * i, 1, 1, 1, 0, 0], steps[i]!), options);
      const state = new Map<string, Tensor>([
        ['masks/a.weight', { dtype: 'uint8', shape: [4], data: Uint8Array.from(mask) } as const],
        ['masks/a.bias', { dtype: 'uint8', shape: [1], data: Uint8Array.of(0) } as const],
        ['last/a.weight', float32([4], [7, 7, 7, 7])],
        ['last/a.bias', float32([1], [7])],
      ]);
      executor.restore(state);
      return executor;
    });
    const [report] = await reportsOf(fedSelect(roundsOf(1), start(), partsFor(executors)));
    // (1·0 + 3·8) / 4
    expect(all(report!.state.model)).toEqual([6, 1, 1, 0, 0, 0]);
  });

  it('stops choosing from a tensor of which more than the most is the site’s own, and never from others than weights', async () => {
    const [executor] = sitesOf([], [1, 1], { most: 0.4 }) as [Executor];
    for (const round of [0, 1, 2, 3]) {
      await executor.execute({ kind: 'train', round, model: modelOf([0, 0, 0, 0], 0, 0) }, context);
    }
    expect([...executor.state()!.get('masks/a.weight')!.data]).toEqual([1, 0, 1, 0]);
    expect([...executor.state()!.get('masks/a.bias')!.data]).toEqual([0]);
    expect(executor.state()!.has('masks/a.running_mean')).toBe(false);
  });

  it('goes on after a restart as if never stopped', async () => {
    const [before, after] = [sitesOf(), sitesOf()] as [[Executor], [Executor]];
    const task = (round: number) => ({ kind: 'train', round, model: modelOf([1, 2, 3, 4], 5, 6) }) as const;
    for (const round of [0, 1]) await before[0].execute(task(round), context);
    after[0].restore(before[0].state());
    const [first, second] = [await before[0].execute(task(2), context), await after[0].execute(task(2), context)];
    expect(second.payload).toEqual(first.payload);
    expect(floatsOf(first.payload.tensors.get('shared/a.weight')!)).toEqual(Float32Array.of(0, 1, 0, 1));
    after[0].restore(undefined);
    expect(all((await after[0].execute(task(2), context)).payload.tensors).slice(-5)).toEqual([1, 1, 1, 1, 1]);
  });

  it('says what is missing when the trainer gives full weights', async () => {
    const full = trainerExecutor({ train: async ({ model }) => ({ weights: model, steps: 1 }) }, 'weights');
    const options = { every: 1, share: 0.5, most: 0.8, parametersOf: () => parameters, keep: async () => {} };
    const asked = withOwnNumbers(full, options).execute(
      { kind: 'train', round: 0, model: modelOf([0, 0, 0, 0], 0, 0) },
      context,
    );
    await expect(asked).rejects.toThrow(/gave 'weights'/);
  });
});
