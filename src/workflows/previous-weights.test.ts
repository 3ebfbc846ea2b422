import { describe, expect, it } from 'vitest';
import { numbersOf, partsOf, reportsOf, roundsOf, startOf, updateOf } from '../../test/support/workflow-rig';
import { weightedMean } from '../aggregators/weighted-mean';
import { withContrast } from '../executors/contrast';
import type { Executor, ExecutorContext } from '../executors/executor';
import { withPersonalTensors } from '../executors/personal-tensors';
import { trainerExecutor } from '../executors/trainer';
import type { Transfer } from '../jobs/trainer-spec';
import { float32, type NamedTensors } from '../tensor/tensor';
import { fedAvg } from './fed-avg';
import type { WorkflowState } from './workflow';

const spec = { ...roundsOf(3), contrast: { beta: 5 } };
const personal = new Set(['dec']);
const parameters = new Set(['enc', 'dec']);

const modelOf = (enc: number, dec: number): NamedTensors =>
  new Map([
    ['enc', float32([1], [enc])],
    ['dec', float32([1], [dec])],
    ['mean', float32([1], [0])],
  ]);

/** Adds `change` to all it is given, and notes what it is told of the others. */
function site(change: number, transfer: Transfer, told: unknown[]): Executor {
  const trainer = trainerExecutor(
    {
      async train({ model }, { contrast }: ExecutorContext) {
        const sites = contrast?.previous.map((one) => [...one.keys(), ...numbersOf(one, 'enc')]);
        told.push(contrast && [contrast.beta, ...numbersOf(contrast.server, 'enc'), sites]);
        const moved = [...model.keys()].map((name) => {
          return [name, float32([1], [numbersOf(model, name)[0]! + change])] as const;
        });
        return { weights: new Map(moved), steps: 1 };
      },
    },
    transfer,
  );
  const own = withPersonalTensors(trainer, { personalOf: () => personal, keep: async () => {} });
  return withContrast(own, { beta: 5 });
}

function rig(transfer: Transfer) {
  const told: unknown[][] = [[], []];
  const executors = [site(1, transfer, told[0]!), site(3, transfer, told[1]!)];
  const links = executors.map((executor, i) => ({
    name: `site-${i}`,
    run: async (task: Parameters<Executor['execute']>[0]) => {
      const context = { signal: new AbortController().signal, progress: () => {} };
      return updateOf(`site-${i}`, task, (await executor.execute(task, context)).payload);
    },
  }));
  const siteOrder = links.map(({ name }) => name);
  const parts = partsOf(links, {
    parameters,
    personal,
    aggregator: (reference, round, more = {}) =>
      weightedMean({ reference, round, siteOrder, kind: transfer, maxSteps: 100, ...more }),
  });
  return { told, parts };
}

describe.each<Transfer>(['weight-diff', 'weights'])('the contrast term of FedMRI, by %s', (transfer) => {
  it('is about the shared weights of all sites after the round before, and there is none in the first round', async () => {
    const { told, parts } = rig(transfer);
    const reports = await reportsOf(fedAvg(spec, startOf(modelOf(10, 20)), parts));
    expect(reports.map(({ state }) => numbersOf(state.model, 'enc')[0])).toEqual([12, 14, 16, 16]);
    // Trained to 11 and 13 in the first round, to 13 and 15 in the second. Nothing personal and no statistic is told.
    const expected = [
      undefined,
      [
        5,
        12,
        [
          ['enc', 11],
          ['enc', 13],
        ],
      ],
      [
        5,
        14,
        [
          ['enc', 13],
          ['enc', 15],
        ],
      ],
    ];
    expect(told).toEqual([expected, expected]);
  });

  it('goes on from a checkpoint, where the server has kept them', async () => {
    const straight = rig(transfer);
    const reports = await reportsOf(fedAvg(spec, startOf(modelOf(10, 20)), straight.parts));
    const again = rig(transfer);
    const state: WorkflowState = reports[1]!.state;
    const [third] = await reportsOf(fedAvg(spec, state, again.parts));
    expect(again.told[0]).toEqual([straight.told[0]![2]]);
    expect(third!.state.memory).toEqual(reports[2]!.state.memory);
    expect([...third!.state.memory.keys()]).toEqual(['previous/site-0/enc', 'previous/site-1/enc']);
  });

  it('keeps what a site had before, in a round without it', async () => {
    const { told, parts } = rig(transfer);
    await reportsOf(fedAvg({ ...spec, rounds: 6, sitesPerRound: 1 }, startOf(modelOf(0, 0)), parts));
    const last = told.flat().filter((one) => one !== undefined) as [number, number, unknown[]][];
    expect(Math.max(...last.map(([, , sites]) => sites.length))).toBe(2);
    expect(last.length).toBe(5);
  });
});
