/**
 * Learning-rate schedules: pure functions of time, so there is nothing to save and nothing to restore.
 *
 * @module
 */
import { type ScheduleOptions, type ScheduleSettings, scheduleSpec } from '../../jobs/schedule-spec';
import { parseOptions } from '../../util/parse-options';

/** The settings with defaults filled in. @throws ConfigError naming each option that is wrong */
export function scheduleSettings(options: ScheduleOptions): ScheduleSettings {
  return parseOptions('the learning-rate schedule', scheduleSpec, options);
}

/** The factor of the base learning rate at time t = 0, 1, …, in double precision. */
export function scheduleFactor({ decay, warmUp }: ScheduleSettings, t: number): number {
  if (!warmUp) return decayFactor(decay, t);
  const { length, from } = warmUp;
  return t < length ? from + ((1 - from) * t) / length : decayFactor(decay, t - length);
}

/** The learning rate for the next step, after `step` steps and in round `round`, both counted from 0. */
export function scheduledRate(
  settings: ScheduleSettings,
  base: number,
  { step, round }: { readonly step: number; readonly round: number },
): number {
  return base * scheduleFactor(settings, settings.per === 'step' ? step : round);
}

function decayFactor(decay: ScheduleSettings['decay'], t: number): number {
  switch (decay.kind) {
    case 'constant':
      return 1;
    case 'linear':
      return 1 - (1 - decay.final) * progress(t - decay.hold, decay.length);
    case 'cosine':
      return decay.final + ((1 - decay.final) * (1 + Math.cos(Math.PI * progress(t, decay.length)))) / 2;
    case 'polynomial':
      return (1 - progress(t, decay.length)) ** decay.power;
  }
}

function progress(t: number, length: number): number {
  return Math.min(Math.max(t / length, 0), 1);
}
