/**
 * When to end a run before its last round: by the key metric of the global model that each round validates, never by what
 * the sites say of their own training. What it remembers is part of the checkpoint.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Metrics } from '../protocol/payload';
import { type NamedTensors, tensor } from '../tensor/tensor';
import { isBetter } from './workflow';

export interface EarlyStopSpec {
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  readonly earlyStop?:
    | { readonly patience?: number | undefined; readonly minDelta: number; readonly target?: number | undefined }
    | undefined;
}

/** Three numbers: the best value so far, the round of its model, and the last value. */
const memoryName = 'early-stop';

/** The memory with the score of the model that `round` started from. @throws ConfigError when it has no key metric */
export function noteScore(spec: EarlyStopSpec, memory: NamedTensors, round: number, metrics: Metrics): NamedTensors {
  const { keyMetric, keyMetricMode, earlyStop } = spec;
  if (!earlyStop) return memory;
  const value = metrics[keyMetric];
  if (typeof value !== 'number') {
    const known = Object.keys(metrics).join(', ') || 'none';
    throw new ConfigError(
      `Early stopping goes by '${keyMetric}', but no site gave it. Metrics of the round: ${known}.`,
      {
        hint: "Set the workflow's keyMetric to one of them, or leave out earlyStop.",
      },
    );
  }
  const [best, bestRound] = memory.get(memoryName)?.data ?? [];
  const known = best !== undefined && bestRound !== undefined;
  const improved = !known || isBetter(value, Number(best), keyMetricMode, earlyStop.minDelta);
  const numbers = improved ? [value, round, value] : [Number(best), Number(bestRound), value];
  return new Map([...memory, [memoryName, tensor('float64', [3], Float64Array.from(numbers))]]);
}

/** Why the run ends before `round`, in words; `undefined` when it goes on. */
export function stopReason(spec: EarlyStopSpec, memory: NamedTensors, round: number): string | undefined {
  const { keyMetric, keyMetricMode, earlyStop } = spec;
  const noted = memory.get(memoryName);
  if (!earlyStop || !noted) return undefined;
  const [best, bestRound, last] = [...noted.data].map(Number) as [number, number, number];
  const { patience, target } = earlyStop;
  if (target !== undefined && (last === target || isBetter(last, target, keyMetricMode))) {
    return `${keyMetric} of the global model reached ${last}; the target was ${target}`;
  }
  if (patience !== undefined && round - 1 - bestRound >= patience) {
    return `${keyMetric} of the global model has not been better than ${best} for ${patience} rounds`;
  }
  return undefined;
}
