/**
 * Losses as data: which one, with which options. Predictions are `[N, C, ...spatial]`; what labels are is said at each.
 *
 * @module
 */
import { z } from 'zod';

const nonNegative = z.number().nonnegative().finite();
const factor = nonNegative.default(1);
const reduction = z
  .enum(['mean', 'sum'], {
    error: ({ input }) =>
      input === 'none' ? 'must be mean or sum: none leaves many numbers, and training goes down one' : undefined,
  })
  .default('mean');

/**
 * The options of MONAI's DiceLoss but two: `other_act` is a function, which no job file can hold, and the reduction `none`
 * leaves one loss for each channel, no scalar to train on. `writeDiceLoss` takes both.
 */
const diceFields = {
  sigmoid: z.boolean().default(false).describe('The predictions are logits of independent regions.'),
  softmax: z.boolean().default(false).describe('The predictions are logits of classes that exclude each other.'),
  toOnehotY: z
    .boolean()
    .default(false)
    .describe('Labels are class numbers [N, 1, ...], not one channel for each class.'),
  includeBackground: z.boolean().default(true).describe('Whether channel 0 counts.'),
  squaredPred: z
    .boolean()
    .default(false)
    .describe('Squares in the denominator, as Milletari et al. (2016, arXiv:1606.04797).'),
  softLabel: z
    .boolean()
    .default(false)
    .describe('Labels are probabilities: overlaps by L1 norms, as Wang et al. (2023, arXiv:2303.16296).'),
  jaccard: z.boolean().default(false).describe('Soft intersection over union in place of Dice.'),
  smoothNr: nonNegative.default(1e-5).describe('Added to the numerator.'),
  smoothDr: nonNegative.default(1e-5).describe('Added to the denominator.'),
  batch: z.boolean().default(false).describe('One Dice for all samples of the batch together.'),
  weight: z
    .union([nonNegative, z.array(nonNegative).nonempty()])
    .optional()
    .describe('Factor of each channel that counts, or one for all.'),
  reduction,
} as const;

/** The two activations exclude each other. */
function oneActivation<S extends z.ZodType<{ sigmoid: boolean; softmax: boolean }>>(schema: S): S {
  return schema.refine(({ sigmoid, softmax }) => !(sigmoid && softmax), {
    error: 'excludes softmax',
    path: ['sigmoid'],
  });
}

/** Of the Dice loss alone. */
export const diceOptions = oneActivation(z.strictObject(diceFields));

const dice = oneActivation(z.strictObject({ kind: z.literal('dice'), ...diceFields }));

const crossEntropyFields = {
  weight: z.array(nonNegative).nonempty().optional().describe('Factor of each class.'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of each label that is spread over all classes, [0, 1).'),
  ignoreIndex: z
    .int()
    .optional()
    .describe('Voxels of this class number do not count. For labels that are class numbers.'),
  reduction,
} as const;

const crossEntropy = z.strictObject({ kind: z.literal('cross-entropy'), ...crossEntropyFields });

const binaryCrossEntropyFields = {
  logits: z
    .boolean()
    .default(true)
    .describe(
      'The predictions are logits. Else they are probabilities, whose logarithms are kept above −100 as in PyTorch.',
    ),
  posWeight: z
    .union([nonNegative, z.array(nonNegative).nonempty()])
    .optional()
    .describe('Factor of positive voxels of each channel, or one for all. With logits only.'),
  reduction,
} as const;

const binaryCrossEntropy = z.strictObject({ kind: z.literal('binary-cross-entropy'), ...binaryCrossEntropyFields });

const mse = z.strictObject({ kind: z.literal('mse'), reduction });
const l1 = z.strictObject({ kind: z.literal('l1'), reduction });

/** Options of structural similarity. */
export const ssimFields = {
  kernel: z
    .enum(['gaussian', 'uniform'])
    .default('gaussian')
    .describe('Weights of a window: Gaussian, or all the same.'),
  windowSize: z
    .int()
    .positive()
    .refine((n) => n % 2 === 1, 'must be odd')
    .default(11)
    .describe('Length of the window along each axis, odd.'),
  sigma: z.number().positive().finite().default(1.5).describe('Standard deviation of the Gaussian in voxels.'),
  k1: z.number().positive().finite().default(0.01),
  k2: z.number().positive().finite().default(0.03),
  dataRange: z
    .union([z.number().positive().finite(), z.literal('batch')])
    .default(1)
    .describe(
      'The range of the data; batch: the larger of the ranges of prediction and label, of all samples together.',
    ),
  border: z
    .enum(['valid', 'reflect'])
    .default('valid')
    .describe(
      'valid: windows inside the image only. reflect: one window for each voxel, the image mirrored at its borders.',
    ),
  clampVariance: z.boolean().default(false).describe('Variances are not let below 0, where rounding may put them.'),
} as const;

const ssim = z.strictObject({ kind: z.literal('ssim'), ...ssimFields }).describe("1 − SSIM. The defaults are MONAI's.");
const dssim = z.strictObject({ kind: z.literal('dssim'), ...ssimFields }).describe('(1 − SSIM)/2.');

const distillation = z
  .strictObject({
    kind: z.literal('distillation'),
    temperature: z.number().positive().finite().default(1),
  })
  .describe(
    "T² times the divergence of the label's distribution, a teacher's logits, from the prediction's (Hinton et al. 2015).",
  );

const dicePart = diceOptions.prefault({});
const crossEntropyPart = z.strictObject(crossEntropyFields).prefault({});
const binaryCrossEntropyPart = z.strictObject(binaryCrossEntropyFields).prefault({});

const diceCe = z
  .strictObject({
    kind: z.literal('dice-ce'),
    dice: dicePart,
    crossEntropy: crossEntropyPart,
    lambdaDice: factor,
    lambdaCe: factor,
  })
  .describe('Sums of two losses of the same prediction and label.');
const diceBce = z.strictObject({
  kind: z.literal('dice-bce'),
  dice: dicePart,
  binaryCrossEntropy: binaryCrossEntropyPart,
  lambdaDice: factor,
  lambdaBce: factor,
});
const mseDssim = z.strictObject({
  kind: z.literal('mse-dssim'),
  dssim: z.strictObject(ssimFields).prefault({}),
  lambdaMse: factor,
  lambdaDssim: factor,
});

const rmseDssim = z
  .strictObject({
    kind: z.literal('rmse-dssim'),
    dssim: z.strictObject(ssimFields).prefault({}),
    lambdaRmse: factor,
    lambdaDssim: factor,
  })
  .describe('The root of the mean squared error, of the whole batch, and (1 − SSIM)/2.');

export const lossSpec = z.discriminatedUnion('kind', [
  dice,
  crossEntropy,
  binaryCrossEntropy,
  mse,
  l1,
  ssim,
  dssim,
  distillation,
  diceCe,
  diceBce,
  mseDssim,
  rmseDssim,
]);

/** Losses of logits against overlapping regions, one channel each. */
export const regionLoss = z.discriminatedUnion('kind', [
  dice.refine(({ sigmoid, toOnehotY }) => sigmoid && !toOnehotY, {
    error: 'regions overlap: the loss needs sigmoid: true, and labels are not class numbers',
    path: ['sigmoid'],
  }),
  binaryCrossEntropy.refine(({ logits }) => logits, { error: 'the network gives logits', path: ['logits'] }),
  diceBce,
]);

const meanOnly = { error: 'a sum would grow with the batch: only mean makes sense here', path: ['reduction'] };

/** Losses of an image against the image that it should be. */
export const imageLoss = z.discriminatedUnion('kind', [
  mse.refine(({ reduction: by }) => by === 'mean', meanOnly),
  l1.refine(({ reduction: by }) => by === 'mean', meanOnly),
  ssim,
  dssim,
  mseDssim,
  rmseDssim,
]);

/** A loss as it is asked for, defaults left out. */
export type LossOptions = z.input<typeof lossSpec>;
/** A checked loss, all defaults filled in. */
export type LossSettings = z.output<typeof lossSpec>;
export type LossKind = LossSettings['kind'];
export type LossSettingsOf<K extends LossKind> = Omit<Extract<LossSettings, { readonly kind: K }>, 'kind'>;
