/**
 * MONAI's BasicUNet: five levels, maximum pooling (after Falk et al. 2019, doi 10.1038/s41592-018-0261-2), with its state
 * names.
 *
 * @module
 */

import { concat } from '../../graph/functions';
import { type BasicUNetOptions, type BasicUNetSettings, basicUNetOptions } from '../../jobs/models/basic-unet';
import { activationOf, normOf } from '../../jobs/models/common';
import { parseOptions } from '../../util/parse-options';
import { convolution, transposedConvolution } from '../modules/convolution';
import { modelOf } from '../modules/model-of';
import { compose, type Module, sequential } from '../modules/module';
import { monaiConvolution } from '../modules/monai';
import { doublingLinear, halvingMaxPool } from '../modules/resize';
import { padTo } from '../modules/skip';
import { doublingSubpixel } from '../modules/subpixel';
import type { Model } from './definition';

/** Spatial lengths are halved that often. */
const LEVELS = 4;

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function basicUNet(options: BasicUNetOptions = {}): Model {
  const settings = parseOptions('basic-unet', basicUNetOptions, options);
  const { spatialDims, inChannels, outChannels } = settings;
  const head = { kind: 'basic-unet', options: settings, spatialDims, inChannels, outChannels };
  return modelOf({ ...head, spatialDivisor: 1, freeDivisor: 2 ** LEVELS }, network(settings));
}

function network(settings: BasicUNetSettings): Module {
  const { spatialDims: dims, inChannels, outChannels, features } = settings;
  const twice = twoConvolutions(settings);
  const downs = [1, 2, 3, 4].map((level) => {
    const convs = twice(features[level - 1]!, features[level]!);
    return [`down_${level}`, sequential({ max_pooling: halvingMaxPool, convs })] as const;
  });
  const ups = [4, 3, 2, 1].map((level) => {
    const [ins, skip] = [features[level]!, features[level - 1]!];
    const [mid, outs] = level === 1 ? [ins, features[5]!] : [ins / 2, skip];
    return [`upcat_${level}`, upwards(settings, ins, mid, twice(skip + mid, outs))] as const;
  });
  const final_conv = convolution({ dims, ins: features[5]!, outs: outChannels, kernel: 1 });
  const conv_0 = twice(inChannels, features[0]!);
  return compose({ conv_0, ...Object.fromEntries([...downs, ...ups]), final_conv }, (call, _, image) => {
    const levels = [call('conv_0', image!)];
    for (const [name] of downs) levels.push(call(name, levels.at(-1)!));
    let x = levels[LEVELS]!;
    for (const [i, [name]] of ups.entries()) x = call(name, x, levels[LEVELS - 1 - i]!);
    return call('final_conv', x);
  });
}

function twoConvolutions({ spatialDims: dims, norm, numGroups, act, negativeSlope, dropout, bias }: BasicUNetSettings) {
  const adn = { norm: normOf(norm, numGroups), act: activationOf(act, negativeSlope), dropout, ordering: 'NDA' };
  const one = (ins: number, outs: number): Module => monaiConvolution({ dims, ins, outs, kernel: 3, bias, adn });
  return (ins: number, outs: number): Module => sequential({ conv_0: one(ins, outs), conv_1: one(outs, outs) });
}

/** From `ins` to `mid` channels at twice the size, then `convs` of those beside the skipped ones. */
function upwards({ spatialDims: dims, upsample }: BasicUNetSettings, ins: number, mid: number, convs: Module): Module {
  const interpolation = {
    ...(ins !== mid && { preconv: convolution({ dims, ins, outs: mid, kernel: 1 }) }),
    upsample_non_trainable: doublingLinear(true),
  };
  const wider = {
    deconv: () => ({ deconv: transposedConvolution({ dims, ins, outs: mid, kernel: 2, stride: 2 }) }),
    nontrainable: () => interpolation,
    pixelshuffle: () => ({ pixelshuffle: doublingSubpixel(dims, ins, mid) }),
  }[upsample]();
  return compose({ upsample: sequential(wider), convs }, (call, { b }, x, skip) => {
    const grown = padTo(b, call('upsample', x!), skip!, 'edge', () => 0);
    return call('convs', concat(b, [skip!, grown]));
  });
}
