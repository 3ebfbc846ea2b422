import { describe, expect, it } from 'vitest';
import type { ScheduleOptions } from '../../jobs/schedule-spec';
import { scheduledRate, scheduleFactor, scheduleSettings } from './schedule';

const factors = (options: ScheduleOptions, times: readonly number[]): readonly number[] =>
  times.map((t) => scheduleFactor(scheduleSettings(options), t));

const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]!).toBeCloseTo(value, 14);
};

describe('a schedule', () => {
  it('is constant when nothing is asked for', () => close(factors({}, [0, 1, 1000]), [1, 1, 1]));

  it('falls linearly after a while, and stays', () => {
    const options = { decay: { kind: 'linear', hold: 2, length: 4, final: 0.2 } } as const;
    close(factors(options, [0, 2, 3, 4, 5, 6, 9]), [1, 1, 0.8, 0.6, 0.4, 0.2, 0.2]);
  });

  it('can follow the rule 1 − max(0, e + 2 − 75)/76 of the published synthesis job', () => {
    const epochs = [0, 73, 74, 100, 149];
    const expected = epochs.map((e) => 1 - Math.max(0, e + 2 - 75) / 76);
    close(factors({ decay: { kind: 'linear', hold: 73, length: 76 } }, epochs), expected);
  });

  it('falls as half a cosine', () => {
    const options = { decay: { kind: 'cosine', length: 4, final: 0.1 } } as const;
    const half = 0.45 * Math.SQRT1_2;
    close(factors(options, [0, 1, 2, 3, 4, 7]), [1, 0.55 + half, 0.55, 0.55 - half, 0.1, 0.1]);
  });

  it('falls as a power', () => {
    const options = { decay: { kind: 'polynomial', length: 4, power: 2 } } as const;
    close(factors(options, [0, 1, 2, 3, 4, 5]), [1, 0.5625, 0.25, 0.0625, 0, 0]);
    close(factors({ decay: { kind: 'polynomial', length: 1000 } }, [500]), [0.5 ** 0.9]);
  });

  it('warms up first, and then starts its decay from the beginning', () => {
    const options = { warmUp: { length: 4, from: 0 }, decay: { kind: 'polynomial', length: 2, power: 1 } } as const;
    close(factors(options, [0, 1, 2, 3, 4, 5, 6]), [0, 0.25, 0.5, 0.75, 1, 0.5, 0]);
    close(factors({ warmUp: { length: 2 } }, [0, 1, 2]), [1 / 3, 2 / 3, 1]);
  });

  it('counts steps or rounds', () => {
    const decay = { kind: 'polynomial', length: 10, power: 1 } as const;
    const when = { step: 5, round: 2 };
    expect(scheduledRate(scheduleSettings({ decay }), 0.1, when)).toBeCloseTo(0.08, 14);
    expect(scheduledRate(scheduleSettings({ decay, per: 'step' }), 0.1, when)).toBeCloseTo(0.05, 14);
  });

  it('refuses a length of nothing, by name', () => {
    expect(() => scheduleSettings({ decay: { kind: 'cosine', length: 0 } })).toThrow(/decay.length/);
  });
});
