import { describe, expect, it } from 'vitest';
import type { Metrics } from '../protocol/payload';
import { type EarlyStopSpec, noteScore, stopReason } from './early-stop';

/** After which round a run with these scores of the global model ends; `undefined`: never. */
function endsAfter(scores: readonly number[], earlyStop: object, keyMetricMode: 'max' | 'min' = 'max') {
  const spec: EarlyStopSpec = { keyMetric: 'score', keyMetricMode, earlyStop: { minDelta: 0, ...earlyStop } };
  let memory: ReturnType<typeof noteScore> = new Map();
  for (const [round, score] of scores.entries()) {
    memory = noteScore(spec, memory, round, { score });
    if (stopReason(spec, memory, round + 1) !== undefined) return round;
  }
  return undefined;
}

describe('early stopping', () => {
  it('ends after as many rounds without a better model as it has patience for', () => {
    expect(endsAfter([1, 2, 3, 3, 2], { patience: 2 })).toBe(4);
    expect(endsAfter([1, 2, 1, 3, 2], { patience: 2 })).toBeUndefined();
    expect(endsAfter([1, 1], { patience: 1 })).toBe(1);
  });

  it('knows which direction is better', () => {
    expect(endsAfter([3, 2, 1, 1, 1], { patience: 2 }, 'min')).toBe(4);
    expect(endsAfter([3, 2, 1], { patience: 1 }, 'max')).toBe(1);
  });

  it('does not count an improvement that is too small', () => {
    expect(endsAfter([1, 1.05, 1.09, 1.2], { patience: 2, minDelta: 0.1 })).toBe(2);
  });

  it('ends when the target is reached', () => {
    expect(endsAfter([0.1, 0.5, 0.9], { target: 0.5 })).toBe(1);
    expect(endsAfter([0.9, 0.5, 0.1], { target: 0.4 }, 'min')).toBe(2);
  });

  it('says which metrics there are when the one it goes by is missing', () => {
    const spec = { keyMetric: 'val_dice', keyMetricMode: 'max', earlyStop: { patience: 1, minDelta: 0 } } as const;
    const metrics: Metrics = { loss: 1, val_dice: null };
    expect(() => noteScore(spec, new Map(), 0, metrics)).toThrow(/'val_dice'.*loss, val_dice/);
  });
});
