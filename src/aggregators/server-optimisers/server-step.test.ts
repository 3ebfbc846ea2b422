import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ServerOptimiserOptions, serverOptimiserSpec } from '../../jobs/server-optimiser-spec';
import { float32, type NamedTensors, type Tensor, tensor } from '../../tensor/tensor';
import { serverStep } from './server-step';

interface Golden {
  readonly start: number[];
  readonly deltas: number[][];
  readonly cases: { readonly settings: ServerOptimiserOptions; readonly rounds: number[][] }[];
}
const golden = JSON.parse(
  readFileSync(join(__dirname, '../../../test/golden/server-optimisers.json'), 'utf8'),
) as Golden;

const float64 = (values: readonly number[]) => tensor('float64', [values.length], Float64Array.from(values));
const parameters = new Set(['w']);

/** The model after each round of these changes. */
function walk(options: ServerOptimiserOptions, start: readonly number[], deltas: readonly (readonly number[])[]) {
  const settings = serverOptimiserSpec.parse(options);
  let before: NamedTensors = new Map([['w', float64(start)]]);
  let memory: NamedTensors = new Map();
  return deltas.map((delta, round) => {
    const w = before.get('w')!.data as Float64Array;
    const mean = new Map([['w', float64(delta.map((change, i) => w[i]! + change))]]);
    ({ model: before, memory } = serverStep(settings, { before, mean, memory, round, parameters }));
    return [...before.get('w')!.data].map(Number);
  });
}

describe('a server optimiser', () => {
  it.each(golden.cases)('takes the steps of PyTorch or Flower for five rounds: $settings', ({ settings, rounds }) => {
    const found = walk(settings, golden.start, golden.deltas);
    for (const [round, expected] of rounds.entries()) {
      for (const [i, value] of expected.entries()) expect(Math.abs(found[round]![i]! - value)).toBeLessThan(1e-13);
    }
  });

  it.each<[ServerOptimiserOptions, number[]]>([
    // Δ = 2, then 1.
    [{ kind: 'sgd' }, [2, 3]],
    [{ kind: 'sgd', momentum: 0.5 }, [2, 2 + (0.5 * 2 + 1)]],
    // v₀ = τ² = 1; m = 0.2, v = 0.99 + 0.04; then m = 0.9·0.2 + 0.1, v = 0.99·1.03 + 0.01.
    [
      { kind: 'adam', learningRate: 1, tau: 1 },
      [0.2 / (Math.sqrt(1.03) + 1), 0.2 / (Math.sqrt(1.03) + 1) + 0.28 / (Math.sqrt(1.0297) + 1)],
    ],
    // v = 1 + 0.01·4, then 1.04 − 0.01·1·sign(1.04 − 1).
    [
      { kind: 'yogi', learningRate: 1, tau: 1 },
      [0.2 / (Math.sqrt(1.04) + 1), 0.2 / (Math.sqrt(1.04) + 1) + 0.28 / (Math.sqrt(1.03) + 1)],
    ],
    [
      { kind: 'adagrad', learningRate: 1, tau: 1 },
      [2 / (Math.sqrt(5) + 1), 2 / (Math.sqrt(5) + 1) + 1 / (Math.sqrt(6) + 1)],
    ],
  ])('follows the paper, computed by hand: %o', (options, expected) => {
    for (const [round, [value]] of walk(options, [0], [[2], [1]]).entries()) {
      expect(value).toBeCloseTo(expected[round]!, 14);
    }
  });

  it('follows its schedule by round', () => {
    const schedule = { decay: { kind: 'linear', length: 2 } } as const;
    expect(walk({ kind: 'sgd', schedule }, [0], [[1], [1], [1]])).toEqual([[1], [1.5], [1.5]]);
  });

  it('at rate 1 without momentum is federated averaging, to the bit', () => {
    const before = new Map([['w', float32([3], [0.1, -7, 1e-3])]]);
    const mean = new Map([['w', float64([0.123456789, -7.0000001, 1.1e-3])]]);
    const settings = serverOptimiserSpec.parse({ kind: 'sgd' });
    const { model } = serverStep(settings, { before, mean, memory: new Map(), round: 0, parameters });
    expect(model.get('w')!.data).toEqual(Float32Array.from(mean.get('w')!.data));
  });

  it('leaves statistics and counters at their mean, and what others keep in the memory as it is', () => {
    const before = new Map<string, Tensor>([
      ['w', float32([1], [0])],
      ['bn.running_var', float32([1], [1])],
      ['bn.n', tensor('int64', [], BigInt64Array.of(3n))],
    ]);
    const mean = new Map<string, Tensor>([
      ['w', float64([1])],
      ['bn.running_var', float64([4])],
      ['bn.n', tensor('int64', [], BigInt64Array.of(5n))],
    ]);
    const memory = new Map([['other', float32([1], [9])]]);
    const settings = serverOptimiserSpec.parse({ kind: 'adam' });
    const after = serverStep(settings, { before, mean, memory, round: 0, parameters });
    expect(after.model.get('bn.running_var')!.data).toEqual(Float32Array.of(4));
    expect(after.model.get('bn.n')!.data).toEqual(BigInt64Array.of(5n));
    expect([...after.memory.keys()]).toEqual(['other', 'server-optimiser.m/w', 'server-optimiser.v/w']);
    expect(memory.size).toBe(1);
  });

  it('moves statistics and counters by the same rule where it is told to, as Flower does', () => {
    const { settings: asked, rounds } = golden.cases.find(({ settings }) => settings.kind === 'yogi')!;
    const settings = serverOptimiserSpec.parse({ ...asked, statistics: 'optimised' });
    let before: NamedTensors = new Map<string, Tensor>([
      ['running_var', float64(golden.start)],
      ['n', tensor('int64', [], BigInt64Array.of(100n))],
    ]);
    let memory: NamedTensors = new Map();
    for (const [round, delta] of golden.deltas.entries()) {
      const old = before.get('running_var')!.data as Float64Array;
      const mean = new Map<string, Tensor>([
        ['running_var', float64(delta.map((change, i) => old[i]! + change))],
        ['n', tensor('int64', [], BigInt64Array.of(100n + 1000n))],
      ]);
      const step = { before, mean, memory, round, parameters: new Set<string>() };
      ({ model: before, memory } = serverStep(settings, step));
      for (const [i, value] of rounds[round]!.entries()) {
        expect(Math.abs(Number(before.get('running_var')!.data[i]) - value)).toBeLessThan(1e-13);
      }
    }
    // A step of 0.01·100/(√10⁴ + τ) rounds to none, round after round: what the rule makes of a counter.
    expect(before.get('n')!.data).toEqual(BigInt64Array.of(100n));
  });

  it('says so when a step leaves the range of the model', () => {
    const before = new Map([['w', float32([1], [3e38])]]);
    const mean = new Map([['w', float64([3.2e38])]]);
    const settings = serverOptimiserSpec.parse({ kind: 'sgd', learningRate: 10 });
    const step = () => serverStep(settings, { before, mean, memory: new Map(), round: 0, parameters });
    expect(step).toThrow(/'w' out of the range of float32/);
  });
});
