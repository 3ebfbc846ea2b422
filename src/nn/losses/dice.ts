/**
 * Soft Dice loss, with the options of MONAI's.
 *
 * @module
 */
import type { z } from 'zod';
import { ConfigError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { abs, sliceAxis, softmax } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { diceOptions, type LossSettingsOf } from '../../jobs/loss-spec';
import { parseOptions } from '../../util/parse-options';
import { channelFactors, classChannels, type Reduction, reduceAll, requireSameShape, zeroIfClasses } from './labels';

/** Written on the prediction in place of a sigmoid or softmax; keeps its shape. */
export type Activation = (b: Builder, prediction: Value) => Value;

type DiceSettings = LossSettingsOf<'dice'> & { readonly otherAct?: Activation };

/** All options of MONAI's DiceLoss: those of a job, and two that no job can have. */
export interface DiceLossOptions extends Omit<z.input<typeof diceOptions>, 'reduction'> {
  /** @default none */
  readonly otherAct?: Activation;
  /** `none` gives the terms themselves. @default mean */
  readonly reduction?: Reduction | 'none';
}

/**
 * 1 − (2Σp·g + smoothNr) / (Σp + Σg + smoothDr) for each sample and channel, sums over voxels, then the mean or sum; a
 * scalar. With `squaredPred` the denominator has Σp² + Σg², with `jaccard` it is 2(Σp + Σg − Σp·g), with `batch` sums run
 * over samples too. With `softLabel` the overlap Σp·g is (Σ|p| + Σ|g| − Σ|p − g|)/2 (Wang et al. 2023, arXiv:2303.16296):
 * then the loss of soft labels is least where the prediction equals them, which Σp·g does not give. With `squaredPred` the
 * same rule, of squares, is Σp·g again.
 *
 * @param label of the prediction's shape `[N, C, ...spatial]`; with `toOnehotY` class numbers `[N, 1, ...spatial]`: the loss
 * is NaN when one is none of the prediction's classes
 * @throws ShapeError when the label does not fit; ConfigError when an option makes no sense for one channel, or weights do
 * not fit
 */
export function diceLoss(b: Builder, prediction: Value, label: Value, settings: DiceSettings): Value {
  return reduceAll(b, diceTerms(b, prediction, label, settings), settings.reduction);
}

/**
 * The Dice loss with every option of MONAI's, checked: {@link diceLoss}. With the reduction `none` it is one number for each
 * sample and channel that counts, `[N, C, 1, ...]`, or with `batch` for each channel, `[C, 1, ...]`, one axis fewer.
 *
 * @throws ConfigError when options are wrong, or more than one activation is asked for; ShapeError as `diceLoss`
 */
export function writeDiceLoss(b: Builder, prediction: Value, label: Value, options: DiceLossOptions = {}): Value {
  const { otherAct, reduction = 'mean', ...others } = options;
  const scalar = reduction === 'none' ? {} : { reduction };
  const settings = parseOptions('the Dice loss', diceOptions, { ...others, ...scalar });
  if (otherAct && (settings.sigmoid || settings.softmax)) {
    throw new ConfigError('The Dice loss applies one activation: sigmoid, softmax or otherAct, but got two of them.');
  }
  return b.inLayer('loss', () => {
    const all = otherAct ? { ...settings, otherAct } : settings;
    if (reduction !== 'none') return diceLoss(b, prediction, label, all);
    const terms = diceTerms(b, prediction, label, all);
    return settings.batch ? b.reshape(terms, terms.shape.slice(1)) : terms;
  });
}

/** One loss for each sample, or one for all, and each channel that counts: `[N or 1, C, 1, ...]`. */
function diceTerms(b: Builder, prediction: Value, label: Value, settings: DiceSettings): Value {
  const { smoothNr, smoothDr, jaccard, batch, weight } = settings;
  const [p, g] = comparable(b, prediction, label, settings);
  const summed = p.shape.flatMap((_, i) => (i < 2 && !(batch && i === 0) ? [] : [i]));
  const { sizes, both } = sums(b, p, g, summed, settings);
  const numerator = b.add(b.scale(both, 2), b.scalar(smoothNr));
  const denominator = b.add(jaccard ? b.scale(b.sub(sizes, both), 2) : sizes, b.scalar(smoothDr));
  const terms = b.sub(b.scalar(1), b.div(numerator, denominator));
  const plain = settings.toOnehotY ? b.add(terms, zeroIfClasses(b, 'Dice', prediction, label)) : terms;
  // A single channel has no weight relative to others: MONAI leaves it out, too.
  return weight === undefined || p.shape[1] === 1 ? plain : b.mul(plain, channelFactors(b, 'Dice', weight, plain));
}

/** What prediction and label sum to, together, and what they have in common. */
function sums(b: Builder, p: Value, g: Value, axes: readonly number[], { squaredPred, softLabel }: DiceSettings) {
  if (squaredPred || !softLabel) {
    const total = (x: Value): Value => (squaredPred ? b.sumProduct(x, x, axes) : b.reduceSum(x, axes));
    const both = b.sumProduct(p, g, axes);
    return { sizes: b.add(total(p), total(g)), both };
  }
  const norm = (x: Value): Value => b.reduceSum(abs(b, x), axes);
  const sizes = b.add(norm(p), norm(g));
  return { sizes, both: b.scale(b.sub(sizes, norm(b.sub(p, g))), 0.5) };
}

/** Probabilities and masks of the channels that count, of one shape. */
function comparable(b: Builder, prediction: Value, label: Value, settings: DiceSettings): readonly [Value, Value] {
  const { sigmoid, toOnehotY, includeBackground, otherAct } = settings;
  const channels = prediction.shape[1]!;
  if (channels === 1 && (settings.softmax || toOnehotY || !includeBackground)) {
    throw new ConfigError(
      'The Dice loss of one channel can have neither softmax nor toOnehotY, and cannot leave out the background.',
    );
  }
  const probabilities = settings.softmax ? softmax(b, prediction) : (otherAct?.(b, prediction) ?? prediction);
  const p = sigmoid ? b.sigmoid(prediction) : probabilities;
  const g = toOnehotY ? classChannels(b, 'Dice', prediction, label) : label;
  requireSameShape('Dice', p, g);
  if (includeBackground) return [p, g];
  return [sliceAxis(b, p, 1, 1, channels), sliceAxis(b, g, 1, 1, channels)];
}
