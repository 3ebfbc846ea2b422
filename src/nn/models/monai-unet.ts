/**
 * MONAI's UNet: convolutions that stride, or residual units (Kerfoot et al. 2018, doi 10.1007/978-3-030-12029-0_40), with
 * its state names.
 *
 * @module
 */
import { activationOf, normOf } from '../../jobs/models/common';
import { type MonaiUNetOptions, type MonaiUNetSettings, monaiUNetOptions } from '../../jobs/models/monai-unet';
import { parseOptions } from '../../util/parse-options';
import { strideProducts } from '../../util/per-axis';
import { modelOf } from '../modules/model-of';
import { chain, compose, type Module } from '../modules/module';
import { monaiConvolution, monaiTransposed, residualUnit } from '../modules/monai';
import { skipConnection } from '../modules/skip';
import type { Model } from './definition';

type Strides = MonaiUNetSettings['strides'];

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function monaiUNet(options: MonaiUNetOptions = {}): Model {
  const settings = parseOptions('monai-unet', monaiUNetOptions, options);
  const { spatialDims, inChannels, outChannels, channels, strides } = settings;
  const layers = layersOf(settings);
  /** From one level to the bottom; the levels below are constructed first. */
  const block = (ins: number, outs: number, width: readonly number[], steps: Strides, top: boolean): Module => {
    const [here, next] = [width[0]!, width[1]!];
    const deeper = width.length > 2;
    const below = deeper ? block(here, here, width.slice(1), steps.slice(1), false) : layers.down(here, next, 1);
    const down = layers.down(ins, here, steps[0]!);
    const up = layers.up(here + (deeper ? here : next), outs, steps[0]!, top);
    return compose(
      { '0': down, '1': skipConnection(below), '2': up },
      (call, _, x) => call('2', call('1', call('0', x!))),
      ['1', '0', '2'],
    );
  };
  const root = compose({ model: block(inChannels, outChannels, channels, strides, true) }, (call, _, x) =>
    call('model', x!),
  );
  const head = { kind: 'monai-unet', options: settings, spatialDims, inChannels, outChannels };
  return modelOf({ ...head, spatialDivisor: strideProducts(spatialDims, strides) }, root);
}

function layersOf(settings: MonaiUNetSettings) {
  const { spatialDims: dims, kernelSize, upKernelSize, numResUnits, bias, dropout, adnOrdering } = settings;
  const norm = normOf(settings.norm, 1);
  const act = activationOf(settings.act, settings.negativeSlope);
  const adn = { norm, act, dropout, ordering: adnOrdering };
  return {
    down: (ins: number, outs: number, stride: Strides[number]): Module => {
      const shape = { dims, ins, outs, stride, bias, kernel: kernelSize, adn };
      return numResUnits > 0 ? residualUnit({ ...shape, units: numResUnits }) : monaiConvolution(shape);
    },
    up: (ins: number, outs: number, stride: Strides[number], top: boolean): Module => {
      const shape = { dims, ins, outs, stride, bias, kernel: upKernelSize };
      if (numResUnits === 0) return monaiTransposed(top ? shape : { ...shape, adn });
      const unit = { dims, ins: outs, outs, bias, kernel: kernelSize, adn, units: 1, lastBare: top };
      return chain(monaiTransposed({ ...shape, adn }), residualUnit(unit));
    },
  };
}
