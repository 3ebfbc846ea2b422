import { describe, expect, it } from 'vitest';
import { modelOf, numbersOf, partsOf, reportsOf, roundsOf, startOf, updateOf } from '../../test/support/workflow-rig';
import { withControlVariates } from '../executors/control-variates';
import type { Executor } from '../executors/executor';
import { trainerExecutor } from '../executors/trainer';
import { splitControls } from '../protocol/control-variates';
import { float32, floatsOf } from '../tensor/tensor';
import type { SiteLink } from '../transport/in-memory';
import { fedAvg } from './fed-avg';
import { scaffold } from './scaffold';

const context = { signal: new AbortController().signal, progress: () => {} };
const learningRate = 0.5;

/** Two steps of gradient descent on a/2·(w − b)². */
function quadratic(a: number, b: number): Executor {
  return trainerExecutor(
    {
      async train({ model }, { correction }) {
        const c = correction ? floatsOf(correction.get('w')!)[0]! : 0;
        let [w] = numbersOf(model) as [number];
        for (let step = 0; step < 2; step++) w -= learningRate * (a * (w - b) + c);
        return { weights: new Map([['w', float32([1], [w])]]), steps: 2 };
      },
      validate: async ({ model }) => ({ score: numbersOf(model)[0]! }),
    },
    'weight-diff',
  );
}

function linkOf(name: string, executor: Executor): SiteLink {
  return { name, run: async (task) => updateOf(name, task, (await executor.execute(task, context)).payload) };
}

/** The sum of the two is least at 4/3. */
const sites = () => [quadratic(1, 0), quadratic(0.5, 4)];
const spec = { ...roundsOf(2), learningRate };

function scaffoldSites() {
  return sites().map((executor, i) => linkOf(`site-${i}`, withControlVariates(executor)));
}

describe('SCAFFOLD', () => {
  it('equals two rounds on two quadratics, computed by hand', async () => {
    const reports = await reportsOf(scaffold(spec, startOf(modelOf(2)), partsOf(scaffoldSites())));
    // Round 0: Δy = −1.5 and 0.875, c_i⁺ = 1.5 and −0.875.
    // Round 1: Δy = −0.375 and −0.02734375, c_i⁺ = 1.5625 and −1.16015625.
    const [first, second] = reports.map(({ state }) => state);
    expect(numbersOf(first!.model)).toEqual([1.6875]);
    expect(numbersOf(splitControls(first!.memory).controls)).toEqual([0.3125]);
    expect(numbersOf(second!.model)).toEqual([1.486328125]);
    expect(numbersOf(splitControls(second!.memory).controls)).toEqual([0.201171875]);
  });

  it('finds the least of the sum, where federated averaging drifts off', async () => {
    const many = { ...spec, rounds: 60 };
    const [last] = (await reportsOf(scaffold(many, startOf(modelOf(2)), partsOf(scaffoldSites())))).slice(-1);
    expect(numbersOf(last!.state.model)[0]).toBeCloseTo(4 / 3, 5);
    const plain = sites().map((executor, i) => linkOf(`site-${i}`, executor));
    const [drifted] = (await reportsOf(fedAvg(many, startOf(modelOf(2)), partsOf(plain)))).slice(-1);
    // w = (w/4 + 4·(1 − 9/16) + 9/16·w)/2
    expect(numbersOf(drifted!.state.model)[0]).toBeCloseTo(0.875 / 0.59375, 5);
  });

  it('is federated averaging in its first round, to the bit', async () => {
    const plain = sites().map((executor, i) => linkOf(`site-${i}`, executor));
    const one = { ...spec, rounds: 1 };
    const [averaged] = await reportsOf(fedAvg(one, startOf(modelOf(0.1)), partsOf(plain)));
    const [controlled] = await reportsOf(scaffold(one, startOf(modelOf(0.1)), partsOf(scaffoldSites())));
    expect(controlled!.state.model).toEqual(averaged!.state.model);
  });

  it('moves the control variate by the share of the sites that took part', async () => {
    const half = { ...spec, rounds: 1, sitesPerRound: 1 };
    const [report] = await reportsOf(scaffold(half, startOf(modelOf(2)), partsOf(scaffoldSites())));
    const asked = report!.sites.map(({ site }) => site);
    expect(asked).toHaveLength(1);
    expect(numbersOf(splitControls(report!.state.memory).controls)).toEqual([asked[0] === 'site-0' ? 0.75 : -0.4375]);
  });

  it('goes on from a checkpoint and the states of its sites as if never stopped', async () => {
    const executors = sites().map(withControlVariates);
    const links = executors.map((executor, i) => linkOf(`site-${i}`, executor));
    const [first] = await reportsOf(scaffold({ ...spec, rounds: 1 }, startOf(modelOf(2)), partsOf(links)));
    const again = sites().map(withControlVariates);
    for (const [i, executor] of again.entries()) executor.restore(executors[i]!.state());
    const resumed = again.map((executor, i) => linkOf(`site-${i}`, executor));
    const [second] = await reportsOf(scaffold(spec, first!.state, partsOf(resumed)));
    expect(numbersOf(second!.state.model)).toEqual([1.486328125]);
  });

  it('says what is missing when it does not know the learning rate, or gets full weights', async () => {
    const task = {
      kind: 'train',
      round: 0,
      model: new Map([...modelOf(1), ['control/w', float32([1], [0])]]),
    } as const;
    await expect(withControlVariates(quadratic(1, 0)).execute(task, context)).rejects.toThrow(
      /learning rate of the sites/,
    );
    const full = trainerExecutor({ train: async () => ({ weights: modelOf(1), steps: 1 }) }, 'weights');
    await expect(withControlVariates(full).execute(task, context)).rejects.toThrow(/gave 'weights'/);
  });
});
