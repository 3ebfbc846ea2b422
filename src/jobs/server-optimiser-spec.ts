/**
 * Server optimisers as data: how the server moves the global model along the mean of the sites' changes.
 *
 * @module
 */
import { z } from 'zod';
import { scheduleSpec } from './schedule-spec';

const share = z.number().min(0).lt(1);
const positive = z.number().positive().finite();

const schedule = scheduleSpec
  .optional()
  .describe('Factor of the learning rate by round; the server takes one step a round. Constant when absent.');

const statistics = z
  .enum(['mean', 'optimised'])
  .default('mean')
  .describe(
    'What becomes of the statistics and counters of normalisation layers: the mean of the sites, or what the rule makes of them, as where it goes over the whole state of a model. That can take a running variance below 0.',
  );

const rate = (value: number) => positive.default(value).describe('Factor of the step.');

/** Reddi et al. want the running square to start at τ² or above; Flower starts it at 0. */
const adaptive = {
  tau: positive.default(1e-3).describe('Added to the root of the running square: the smaller, the more adaptive.'),
  initialSquare: z
    .number()
    .nonnegative()
    .finite()
    .optional()
    .describe('First value of the running square of the changes. tau² when absent, as in the paper; 0 in Flower.'),
  schedule,
  statistics,
} as const;

const moments = {
  beta1: share.default(0.9).describe('Share of the past in the running mean of the changes.'),
  beta2: share.default(0.99).describe('Share of the past in the running square of the changes.'),
} as const;

const sgd = z
  .strictObject({
    kind: z.literal('sgd'),
    learningRate: rate(1),
    momentum: share.default(0),
    nesterov: z.boolean().default(false),
    schedule,
    statistics,
  })
  .refine(({ nesterov, momentum }) => !nesterov || momentum > 0, {
    error: 'needs a momentum above 0',
    path: ['nesterov'],
  })
  .describe('A step along the mean change, with momentum: FedAvgM. At rate 1 without momentum it is FedAvg.');

const adam = z
  .strictObject({
    kind: z.literal('adam'),
    learningRate: rate(0.1),
    ...moments,
    ...adaptive,
    biasCorrection: z
      .boolean()
      .default(false)
      .describe("Divides both moments by 1 − βᵗ, as Kingma & Ba and PyTorch do; the paper's FedAdam does not."),
  })
  .describe('FedAdam (Reddi et al. 2021, arXiv:2003.00295).');

const yogi = z
  .strictObject({ kind: z.literal('yogi'), learningRate: rate(0.01), ...moments, ...adaptive })
  .describe('FedYogi (Reddi et al. 2021, arXiv:2003.00295).');

const adagrad = z
  .strictObject({
    kind: z.literal('adagrad'),
    learningRate: rate(0.1),
    beta1: share.default(0).describe('Share of the past in the running mean of the changes.'),
    ...adaptive,
  })
  .describe('FedAdagrad (Reddi et al. 2021, arXiv:2003.00295).');

export const serverOptimiserSpec = z.discriminatedUnion('kind', [sgd, adam, yogi, adagrad]);

/** A server optimiser as it is asked for, defaults left out. */
export type ServerOptimiserOptions = z.input<typeof serverOptimiserSpec>;
/** A checked server optimiser, all defaults filled in. */
export type ServerOptimiserSettings = z.output<typeof serverOptimiserSpec>;
export type ServerOptimiserKind = ServerOptimiserSettings['kind'];
export type ServerOptimiserSettingsOf<K extends ServerOptimiserKind> = Extract<
  ServerOptimiserSettings,
  { readonly kind: K }
>;
