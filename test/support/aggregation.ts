/** Rounds of an aggregator in memory: an update is a row of numbers, a model one float64 tensor `w`. */
import type { AggregatorOptions } from '../../src/aggregators/aggregator';
import { type AggregatorSpec, aggregatorSpec } from '../../src/jobs/aggregator-spec';
import type { Metrics } from '../../src/protocol/payload';
import { createAggregator } from '../../src/runtime/parts';
import { type NamedTensors, tensor } from '../../src/tensor/tensor';

export type Row = readonly number[];

/** An aggregator as a job asks for it. */
export interface AskedAggregator {
  readonly kind: string;
  readonly [option: string]: unknown;
}

export interface RoundOfRows {
  /** @default zeros */
  readonly reference?: Row;
  /** @default 1 each */
  readonly steps?: Row;
  readonly metrics?: readonly Metrics[];
  /** Places of the rows in the order in which they arrive. @default as they stand */
  readonly arrival?: readonly number[];
  /** @default `site-1`, … */
  readonly sites?: readonly string[];
  readonly options?: Partial<AggregatorOptions>;
}

/** What seven sites sent; the last is far off. Section 3 of the published reference vectors goes over these. */
export const sevenRows: readonly Row[] = [
  [1, 2, -1],
  [1.1, 1.9, -0.9],
  [0.9, 2.1, -1.1],
  [1.2, 2.2, -1.2],
  [0.8, 1.8, -0.8],
  [1.05, 2.05, -0.95],
  [50, -40, 30],
];

export function modelOfRow(row: Row): NamedTensors {
  return new Map([['w', tensor('float64', [row.length], Float64Array.from(row))]]);
}

/** The aggregator of a round, when all rows have arrived. */
export function roundOf(asked: AskedAggregator, rows: readonly Row[], round: RoundOfRows = {}) {
  const { reference = rows[0]!.map(() => 0), steps = [], metrics = [], arrival = rows.keys() } = round;
  const { sites = rows.map((_, k) => `site-${k + 1}`), options = {} } = round;
  const spec: AggregatorSpec = aggregatorSpec.parse(asked);
  const common = { kind: 'weight-diff', round: 0, maxSteps: 1000, siteOrder: sites } as const;
  const aggregator = createAggregator(spec, { ...common, reference: modelOfRow(reference), ...options });
  for (const k of arrival) {
    const tensors = modelOfRow(rows[k]!);
    const payload = { kind: options.kind ?? 'weight-diff', tensors, metrics: metrics[k] ?? {}, steps: steps[k] ?? 1 };
    void aggregator.add({ site: sites[k]!, round: options.round ?? 0, payload });
  }
  return aggregator;
}

/** What becomes of the rows. */
export async function aggregated(asked: AskedAggregator, rows: readonly Row[], round?: RoundOfRows): Promise<number[]> {
  const result = await roundOf(asked, rows, round).finish();
  return [...result.get('w')!.data].map(Number);
}
