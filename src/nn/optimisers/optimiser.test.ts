import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Value } from '../../graph/graph';
import { interpret } from '../../graph/interpret';
import type { GradientClip, OptimiserOptions, ParameterGroupOptions } from '../../jobs/optimiser-spec';
import { float32, sizeOf } from '../../tensor/tensor';
import type { Model } from '../models/definition';
import { feedsOf } from '../step-feeds';
import { openStep } from '../step-session';
import { StepWriter, stepNames, type WrittenStep } from '../step-writer';
import { newTrainingState } from '../training-state';
import { optimiserSettings, ruleOf } from './optimiser';

interface Golden {
  readonly rates: readonly number[];
  readonly w: readonly [number[], number[]];
  readonly a: readonly [number[], number[]];
  readonly b: readonly [number[], number[]];
  readonly cases: readonly {
    readonly optimiser: OptimiserOptions;
    readonly clip?: GradientClip;
    readonly groups?: readonly ParameterGroupOptions[];
    readonly steps: readonly { readonly loss: number; readonly first: number[]; readonly second: number[] }[];
  }[];
}

const golden: Golden = JSON.parse(readFileSync(join(__dirname, '../../../test/golden/optimisers.json'), 'utf8'));
const names = ['first', 'second'] as const;
const shapes = [[5], [2, 2]] as const;

/** Σ a·w²/2 + b·w over two parameters, an image being all that a model is asked to have beside. */
const model: Model = {
  kind: 'two-parameters',
  options: {},
  spatialDims: 1,
  inChannels: 1,
  outChannels: 1,
  spatialDivisor: 1,
  parameters: names.map((name, i) => ({ name, shape: shapes[i]!, initialiser: { kind: 'constant', value: 0 } })),
  draws: [],
  build({ b, parameters }): Value {
    const terms = names.map((name, i) => {
      const w = parameters.get(name)!;
      const table = (values: readonly number[]): Value => b.emit('Constant', [], { shape: shapes[i]!, values });
      const linear = b.add(b.scale(b.mul(table(golden.a[i]!), w), 0.5), table(golden.b[i]!));
      return b.reshape(b.sumProduct(linear, w), []);
    });
    return b.add(terms[0]!, terms[1]!);
  },
};

type Case = Golden['cases'][number];

function written({ optimiser, clip, groups }: Case): WrittenStep {
  const step = new StepWriter({ '': { model, optimiser, ...(clip && { clip }), ...(groups && { groups }) } });
  const loss = step.apply('', { image: step.input('image', [1, 1, 1]) });
  step.report('loss', loss);
  step.update('', loss);
  return step.finish();
}

const initial = new Map(names.map((name, i) => [name, float32(shapes[i]!, golden.w[i]!)]));

/** The steps in float64: everything that a step gives is fed to the next one. */
function* inDouble(step: WrittenStep, example: Case) {
  const carried = new Map<string, ArrayLike<number>>([['image', [0]]]);
  for (const [slot, values] of newTrainingState({ model, ...example }, initial).slots) {
    for (const [name, { shape }] of values)
      carried.set(stepNames.slot('', slot, name), new Float64Array(sizeOf(shape)));
  }
  for (const [i, name] of names.entries()) carried.set(name, golden.w[i]!);
  for (const [t, rate] of golden.rates.entries()) {
    for (const [i, { settings, learningRateFactor }] of step.networks.get('')!.updated.entries()) {
      const scalars = ruleOf(settings).scalars(settings, rate * learningRateFactor, t + 1);
      for (const [name, value] of Object.entries(scalars)) carried.set(stepNames.scalar('', i, name), [value]);
    }
    const results = interpret(step.graph, carried);
    for (const [name, values] of results) if (name.startsWith('next.')) carried.set(name.slice(5), values);
    yield { loss: results.get('loss')![0]!, first: carried.get('first')!, second: carried.get('second')! };
  }
}

/** The steps as the runtime computes them. */
async function* onRuntime(step: WrittenStep, example: Case) {
  const session = await openStep(step, { threads: 1 });
  const state = newTrainingState({ model, ...example }, initial);
  const states = new Map([['', state]]);
  const inputs = new Map([['image', { shape: [1, 1, 1], data: new Float32Array(1) }]]);
  for (const rate of golden.rates) {
    const feeds = feedsOf(step, states, { inputs, learningRates: new Map([['', rate]]), dropoutSeed: 0 });
    const loss = (await session.run(states, feeds)).get('loss')![0]!;
    const [first, second] = names.map((name) => state.parameters.get(name)!.data as Float32Array);
    yield { loss, first: first!, second: second! };
  }
}

function largestError(
  actual: { loss: number; first: ArrayLike<number>; second: ArrayLike<number> },
  t: number,
  { steps }: Case,
) {
  const expected = steps[t]!;
  const errors = [actual.loss - expected.loss];
  for (const name of names) errors.push(...expected[name].map((value, i) => actual[name][i]! - value));
  return Math.max(...errors.map(Math.abs));
}

describe('an optimiser', () => {
  const titled = golden.cases.map((example) => {
    const { steps: _, ...options } = example;
    return { title: JSON.stringify(options), example };
  });

  it.each(titled)('walks as PyTorch does, in double and in single precision: $title', async ({ example }) => {
    const step = written(example);
    let t = 0;
    for (const actual of inDouble(step, example)) expect(largestError(actual, t++, example)).toBeLessThan(1e-12);
    expect(t).toBe(golden.rates.length);
    t = 0;
    for await (const actual of onRuntime(step, example)) expect(largestError(actual, t++, example)).toBeLessThan(5e-6);
    expect(t).toBe(golden.rates.length);
  });

  it('refuses constants out of range, by name', () => {
    expect(() => optimiserSettings({ kind: 'sgd', nesterov: true })).toThrow(/nesterov: needs a momentum above 0/);
    expect(() => optimiserSettings({ kind: 'adamw', beta2: 1 })).toThrow(/beta2/);
    expect(() => optimiserSettings({ kind: 'lion' } as never)).toThrow(/kind/);
  });
});

describe('a frozen parameter', () => {
  const frozen = { optimiser: { kind: 'adam' }, groups: [{ match: '^first$', frozen: true }] } as const;

  it('has no gradient, no state and no next value', () => {
    const step = written({ ...frozen, steps: [] });
    expect([...step.graph.outputs.keys()]).toEqual(['loss', 'next.second', 'next.m.second', 'next.v.second']);
    expect([
      ...newTrainingState({ model, ...frozen }, initial)
        .slots.get('m')!
        .keys(),
    ]).toEqual(['second']);
  });

  it('is an error when nothing else is left, or when a group finds nothing', () => {
    const training = { model, optimiser: { kind: 'adam' } } as const;
    expect(() => newTrainingState({ ...training, groups: [{ match: '', frozen: true }] }, initial)).toThrow(
      /no parameter of 'two-parameters' to train/,
    );
    expect(() => newTrainingState({ ...training, groups: [{ match: 'third' }] }, initial)).toThrow(/\/third\//);
    expect(() => newTrainingState({ ...training, groups: [{ match: '(' }] }, initial)).toThrow(/regular expression/);
  });
});
