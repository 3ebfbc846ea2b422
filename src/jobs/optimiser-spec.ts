/**
 * Optimisers as data: which one, with which constants. Names and defaults are PyTorch's; the learning rate comes with
 * each step.
 *
 * @module
 */
import { z } from 'zod';

const share = z.number().min(0).lt(1);
const nonNegative = z.number().nonnegative().finite();

const adam = z
  .strictObject({
    kind: z.literal('adam'),
    weightDecay: nonNegative.default(0).describe('L2 penalty, added to the gradient.'),
    beta1: share.default(0.9),
    beta2: share.default(0.999),
    epsilon: nonNegative.default(1e-8),
  })
  .describe('Adam (Kingma & Ba 2015, arXiv:1412.6980).');

const adamw = z
  .strictObject({
    kind: z.literal('adamw'),
    weightDecay: nonNegative.default(0.01).describe('Share of the learning rate by which weights shrink at each step.'),
    beta1: share.default(0.9),
    beta2: share.default(0.999),
    epsilon: nonNegative.default(1e-8),
  })
  .describe('Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).');

const sgd = z
  .strictObject({
    kind: z.literal('sgd'),
    weightDecay: nonNegative.default(0).describe('L2 penalty, added to the gradient.'),
    momentum: nonNegative.default(0),
    dampening: z
      .number()
      .finite()
      .default(0)
      .describe('Share of the gradient kept out of the momentum, from the second step on.'),
    nesterov: z.boolean().default(false),
  })
  .refine(({ nesterov, momentum, dampening }) => !nesterov || (momentum > 0 && dampening === 0), {
    error: 'needs a momentum above 0 and no dampening',
    path: ['nesterov'],
  })
  .describe("Stochastic gradient descent, with momentum as Sutskever et al. (2013) in PyTorch's form.");

const rmsprop = z
  .strictObject({
    kind: z.literal('rmsprop'),
    weightDecay: nonNegative.default(0).describe('L2 penalty, added to the gradient.'),
    alpha: share.default(0.99).describe('Share of the past in the running mean of squares.'),
    epsilon: nonNegative.default(1e-8),
    momentum: nonNegative.default(0),
    centered: z
      .boolean()
      .default(false)
      .describe('Whether the gradient is divided by its estimated deviation, not by its root mean square.'),
  })
  .describe('RMSprop (Hinton 2012), centred as Graves (2013, arXiv:1308.0850) when asked for.');

export const optimiserSpec = z.discriminatedUnion('kind', [adam, adamw, sgd, rmsprop]);

/** An optimiser as it is asked for, defaults left out. */
export type OptimiserOptions = z.input<typeof optimiserSpec>;
/** A checked optimiser, all defaults filled in. */
export type OptimiserSettings = z.output<typeof optimiserSpec>;
export type OptimiserKind = OptimiserSettings['kind'];
export type OptimiserSettingsOf<K extends OptimiserKind> = Extract<OptimiserSettings, { readonly kind: K }>;

/** Which parameters something is about: a regular expression on their names. */
const pattern = z.string().refine(isRegExp, 'must be a regular expression');

/**
 * What holds for the parameters whose name a pattern finds; the first group that finds a name has it. Parameters in no
 * group follow the optimiser.
 */
export const parameterGroup = z.strictObject({
  match: pattern,
  learningRateFactor: nonNegative.default(1).describe("The group's learning rate as a multiple of the step's."),
  weightDecay: nonNegative.optional().describe("In place of the optimiser's."),
  frozen: z
    .boolean()
    .default(false)
    .describe('Frozen parameters are never changed: no gradient is computed for them and no state is kept.'),
});

export type ParameterGroupOptions = z.input<typeof parameterGroup>;
export type ParameterGroup = z.output<typeof parameterGroup>;

/** Limits gradients before the optimiser sees them. */
export const gradientClip = z.discriminatedUnion('kind', [
  /** Scales all gradients of a network together, so that their joint L2 norm is at most `max`. */
  z.strictObject({ kind: z.literal('norm'), max: z.number().positive().finite() }),
  /** Clamps each element to [−max, max]. */
  z.strictObject({ kind: z.literal('value'), max: z.number().positive().finite() }),
]);

export type GradientClip = z.output<typeof gradientClip>;

function isRegExp(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
