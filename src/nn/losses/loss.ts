/**
 * The losses by kind.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import {
  type LossKind,
  type LossOptions,
  type LossSettings,
  type LossSettingsOf,
  lossSpec,
} from '../../jobs/loss-spec';
import { parseOptions } from '../../util/parse-options';
import { binaryCrossEntropyLoss } from './binary-cross-entropy';
import { crossEntropyLoss } from './cross-entropy';
import { diceLoss } from './dice';
import { l1Loss, mseLoss } from './distance';
import { distillationLoss } from './distillation';
import { dssimLoss, ssimLoss } from './ssim';

export type { LossOptions } from '../../jobs/loss-spec';

type LossRule<K extends LossKind> = (b: Builder, prediction: Value, label: Value, settings: LossSettingsOf<K>) => Value;

/** lambdaFirst·first + lambdaSecond·second. */
function sumOf(b: Builder, first: Value, lambdaFirst: number, second: Value, lambdaSecond: number): Value {
  const scaled = (loss: Value, lambda: number): Value => (lambda === 1 ? loss : b.scale(loss, lambda));
  return b.add(scaled(first, lambdaFirst), scaled(second, lambdaSecond));
}

const rules: { readonly [K in LossKind]: LossRule<K> } = {
  dice: diceLoss,
  'cross-entropy': crossEntropyLoss,
  'binary-cross-entropy': binaryCrossEntropyLoss,
  mse: mseLoss,
  l1: l1Loss,
  ssim: ssimLoss,
  dssim: dssimLoss,
  distillation: distillationLoss,
  'dice-ce': (b, x, y, { dice, crossEntropy, lambdaDice, lambdaCe }) =>
    sumOf(b, diceLoss(b, x, y, dice), lambdaDice, crossEntropyLoss(b, x, y, crossEntropy), lambdaCe),
  'dice-bce': (b, x, y, { dice, binaryCrossEntropy, lambdaDice, lambdaBce }) =>
    sumOf(b, diceLoss(b, x, y, dice), lambdaDice, binaryCrossEntropyLoss(b, x, y, binaryCrossEntropy), lambdaBce),
  'mse-dssim': (b, x, y, { dssim, lambdaMse, lambdaDssim }) =>
    sumOf(b, mseLoss(b, x, y, { reduction: 'mean' }), lambdaMse, dssimLoss(b, x, y, dssim), lambdaDssim),
  'rmse-dssim': (b, x, y, { dssim, lambdaRmse, lambdaDssim }) => {
    const rmse = b.sqrt(mseLoss(b, x, y, { reduction: 'mean' }));
    return sumOf(b, rmse, lambdaRmse, dssimLoss(b, x, y, dssim), lambdaDssim);
  },
};

/** The settings with defaults filled in. @throws ConfigError naming each option that is wrong */
export function lossSettings(options: LossOptions): LossSettings {
  return parseOptions('the loss', lossSpec, options);
}

/**
 * Writes a loss, a scalar, of predictions `[N, C, ...spatial]`.
 *
 * @throws ShapeError when the label does not fit; ConfigError when an option is wrong or makes no sense here
 */
export function writeLossOf(b: Builder, prediction: Value, label: Value, options: LossOptions): Value {
  const { kind, ...settings } = lossSettings(options);
  return b.inLayer('loss', () => (rules[kind] as LossRule<LossKind>)(b, prediction, label, settings as never));
}
