/**
 * What the server asks of the sites. The first question is for sums and extremes; the second, for how the values spread about
 * the mean and within the range of all sites, which the first one gave.
 *
 * @module
 */
import { z } from 'zod';
import type { NamedTensors } from '../tensor/tensor';
import type { SpreadQuestion } from './accumulate';
import { fromTensors, toTensors } from './wire';

/** What a site may be asked for besides the count, in the first question. */
const sumsWanted = ['failures', 'sum', 'range', 'most-bins'] as const;

const question = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('numbers'),
    give: z.array(z.enum(sumsWanted)),
    /** All features of the site when absent. */
    features: z.array(z.string()).optional(),
  }),
  z.strictObject({ ask: z.literal('spread') }),
]);
/** The settings of a `statistics` task. What the second question is about travels as its model. */
export type Question = z.output<typeof question>;
export type NumbersQuestion = Extract<Question, { readonly ask: 'numbers' }>;
export type SumWanted = (typeof sumsWanted)[number];

/** @returns `undefined` for settings that are no question. */
export function parseQuestion(settings: unknown): Question | undefined {
  return question.safeParse(settings).data;
}

/** The second question as the model of a task. */
export function spreadTensors(features: ReadonlyMap<string, SpreadQuestion>): NamedTensors {
  const numbers = new Map<string, Record<string, Float64Array>>();
  for (const [feature, { mean, histogram, quantiles }] of features) {
    numbers.set(feature, {
      ...(mean !== undefined && { mean: Float64Array.of(mean) }),
      ...(histogram && { histogram }),
      ...(quantiles && { quantiles }),
    });
  }
  return toTensors(numbers);
}

/** The inverse of {@link spreadTensors}, checked. @returns what is wrong, as a text, when it is no such question. */
export function parseSpread(tensors: NamedTensors): ReadonlyMap<string, SpreadQuestion> | string {
  const numbers = fromTensors(tensors, ['mean', 'histogram', 'quantiles']);
  if (typeof numbers === 'string') return numbers;
  const features = new Map<string, SpreadQuestion>();
  for (const [feature, { mean, histogram, quantiles }] of numbers) {
    if (mean && mean.length !== 1) return `'${feature}' has ${mean.length} means`;
    for (const edges of [histogram, quantiles]) {
      if (edges && !areEdges(edges)) return `the edges of the bins of '${feature}' do not ascend`;
    }
    const asked = { ...(mean && { mean: mean[0]! }), ...(histogram && { histogram }), ...(quantiles && { quantiles }) };
    features.set(feature, asked);
  }
  return features;
}

function areEdges(edges: Float64Array): boolean {
  return edges.length >= 2 && edges.every((edge, i) => i === 0 || edges[i - 1]! <= edge) && edges[0]! < edges.at(-1)!;
}
