import { describe, expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, reportsOf, roundsOf, siteOf, startOf } from '../../test/support/workflow-rig';
import { centredClipping } from '../aggregators/centred-clipping';
import { pidWeighted } from '../aggregators/pid-weighted';
import { type AggregatorSpecOf, aggregatorSpec } from '../jobs/aggregator-spec';
import { serverOptimiserSpec } from '../jobs/server-optimiser-spec';
import { float32, type NamedTensors } from '../tensor/tensor';
import { fedAvg } from './fed-avg';
import { scaffold } from './scaffold';
import type { WorkflowParts, WorkflowState } from './workflow';

/** Sites whose costs fall at paces of their own, and that change the weight by amounts of their own. */
const links = [3, 5, 8].map((pace, k) =>
  siteOf(`site-${k + 1}`, ({ kind, round, model }) => {
    if (kind !== 'train') return { metrics: { score: numbersOf(model)[0]! } };
    const metrics = { train_loss: 10 / (1 + pace * round), score: numbersOf(model)[0]! };
    return { kind: 'weight-diff', tensors: modelOf((k + 1) / (round + 1)), metrics, steps: k + 1 };
  }),
);

function pidParts(more: Partial<WorkflowParts> = {}): WorkflowParts {
  const spec = aggregatorSpec.parse({ kind: 'pid-weighted' }) as AggregatorSpecOf<'pid-weighted'>;
  const siteOrder = links.map(({ name }) => name);
  return partsOf(links, {
    aggregator: (reference, round, options = {}) =>
      pidWeighted(spec, { reference, round, siteOrder, kind: 'weight-diff', maxSteps: 100, ...options }),
    ...more,
  });
}

/** What is read back from a checkpoint: the same numbers in other arrays. */
function throughDisk(state: WorkflowState): WorkflowState {
  return structuredClone(state);
}

describe('what an aggregator keeps from round to round', () => {
  it('is part of the state, beside what others keep', async () => {
    const serverOptimiser = serverOptimiserSpec.parse({ kind: 'sgd', momentum: 0.5 });
    const reports = await reportsOf(fedAvg({ ...roundsOf(3), serverOptimiser }, startOf(modelOf(1)), pidParts()));
    const { memory } = reports[2]!.state;
    expect([...memory.keys()].sort()).toEqual([
      'aggregator/costs/site-1',
      'aggregator/costs/site-2',
      'aggregator/costs/site-3',
      'server-optimiser.b/w',
    ]);
    expect([...memory.get('aggregator/costs/site-2')!.data]).toEqual([10, 10 / 6, 10 / 11]);
  });

  it.each([1, 2, 3])('comes back when the run goes on from its checkpoint after %i rounds', async (rounds) => {
    const earlyStop = { patience: 10, minDelta: 0 };
    const spec = { ...roundsOf(5), earlyStop };
    const straight = await reportsOf(fedAvg(spec, startOf(modelOf(1)), pidParts()));
    const stopped = await reportsOf(fedAvg({ ...spec, rounds }, startOf(modelOf(1)), pidParts()));
    const resumed = await reportsOf(fedAvg(spec, throughDisk(stopped.at(-1)!.state), pidParts()));
    expect(resumed.at(-1)!.state).toEqual(straight.at(-1)!.state);
  });

  it('reaches SCAFFOLD too, beside its control variates', async () => {
    const withControls = links.map(({ name }, k) =>
      siteOf(name, ({ kind }) => {
        const tensors = new Map([...modelOf(k), ['control/w', float32([1], [1])] as const]);
        return kind === 'train' ? { kind: 'weight-control-diff', tensors, metrics: {}, steps: 1 } : {};
      }),
    );
    const siteOrder = links.map(({ name }) => name);
    const parts = partsOf(withControls, {
      aggregator: (reference, round, options = {}) => {
        const common = { reference, round, siteOrder, kind: 'weight-diff', maxSteps: 100 } as const;
        const spec = { kind: 'centred-clipping', radius: 1e6, iterations: 1 } as const;
        return centredClipping(spec, { ...common, ...options });
      },
    });
    const reports = await reportsOf(scaffold(roundsOf(2), startOf(modelOf(0)), parts));
    const { model, memory } = reports[1]!.state;
    expect(numbersOf(model)).toEqual([2]);
    const names = ['aggregator/centre/control/w', 'aggregator/centre/w', 'control/w'];
    expect([...memory.keys()].sort()).toEqual(names);
  });
});

describe('a round of averaging', () => {
  const statistics = (variance: number): NamedTensors =>
    new Map([...modelOf(0), ['bn.running_var', float32([1], [variance])] as const]);

  it('keeps a running variance above 0 that a server optimiser has taken below, and says so', async () => {
    const site = siteOf('site-1', ({ kind }) =>
      kind === 'train' ? { kind: 'weight-diff', tensors: statistics(-0.04), steps: 1 } : {},
    );
    const spec = (statistics: 'mean' | 'optimised') => ({
      ...roundsOf(1),
      serverOptimiser: serverOptimiserSpec.parse({ kind: 'adam', initialSquare: 0, statistics }),
    });
    const run = (which: 'mean' | 'optimised') =>
      reportsOf(fedAvg(spec(which), startOf(statistics(0.05)), partsOf([site])));
    // 0.05 − 0.1·0.004/(0.004 + 0.001) = −0.03.
    const [optimised] = await run('optimised');
    expect(numbersOf(optimised!.state.model, 'bn.running_var')).toEqual([Math.fround(1e-5)]);
    expect(optimised!.notes).toEqual([expect.stringMatching(/below 0.*bn\.running_var/)]);
    const [mean] = await run('mean');
    expect(numbersOf(mean!.state.model, 'bn.running_var')[0]).toBeCloseTo(0.01, 6);
    expect(mean!.notes).toEqual([]);
  });

  it('tells what its aggregator has to say', async () => {
    const rising = [1, 2].map((k) =>
      siteOf(`site-${k}`, ({ kind, round }) => {
        const metrics = { train_loss: k === 1 ? 5 - round : 5 + 2 * round };
        return kind === 'train' ? { kind: 'weight-diff', tensors: modelOf(0), metrics, steps: 1 } : {};
      }),
    );
    const parts = { ...pidParts(), sites: partsOf(rising).sites };
    const reports = await reportsOf(fedAvg(roundsOf(2), startOf(modelOf(0)), parts));
    expect(reports.map(({ notes }) => notes?.length ?? 0)).toEqual([0, 1, 0]);
    expect(reports[1]!.notes![0]).toMatch(/FedPIDAvg: weights outside 0 … 1/);
  });
});
