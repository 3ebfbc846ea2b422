/**
 * The U-Net of the MRI translation job: 2-D, four levels (Ronneberger et al. 2015, arXiv:1505.04597), a sigmoid at the end.
 *
 * @module
 */

import { concat } from '../../graph/functions';
import { normOf } from '../../jobs/models/common';
import {
  type TranslationUNetOptions,
  type TranslationUNetSettings,
  translationUNetOptions,
} from '../../jobs/models/translation-unet';
import { parseOptions } from '../../util/parse-options';
import { convolution, transposedConvolution } from '../modules/convolution';
import { modelOf } from '../modules/model-of';
import { compose, type Module, sequential } from '../modules/module';
import { normalisation } from '../modules/normalisation';
import { doublingLinear, halvingMaxPool } from '../modules/resize';
import { padTo } from '../modules/skip';
import type { Model } from './definition';

const DIMS = 2;
/** Spatial lengths are halved that often. */
const LEVELS = 4;

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function translationUNet(options: TranslationUNetOptions = {}): Model {
  const settings = parseOptions('translation-unet', translationUNetOptions, options);
  const { inChannels, outChannels } = settings;
  const head = { kind: 'translation-unet', options: settings, spatialDims: DIMS, inChannels, outChannels };
  return modelOf({ ...head, spatialDivisor: 1, freeDivisor: 2 ** LEVELS }, network(settings));
}

function network({
  inChannels,
  outChannels,
  baseChannels,
  norm,
  numGroups,
  bilinear,
}: TranslationUNetSettings): Module {
  const conv = (ins: number, outs: number): Module => convolution({ dims: DIMS, ins, outs, kernel: 3, bias: false });
  const normal = (channels: number): Module => normalisation(normOf(norm, numGroups), channels);
  const double = (ins: number, outs: number, mid = outs): Module => {
    const children = { norm1: normal(mid), norm2: normal(outs), conv1: conv(ins, mid), conv2: conv(mid, outs) };
    return compose(children, (call, { b }, x) => {
      const half = b.relu(call('norm1', call('conv1', x!)));
      return b.relu(call('norm2', call('conv2', half)));
    });
  };
  const down = (ins: number, outs: number): Module =>
    sequential({ 'maxpool_conv.0': halvingMaxPool, 'maxpool_conv.1': double(ins, outs) });
  const up = (ins: number, outs: number): Module => {
    const half = ins / 2;
    const wider = bilinear
      ? { up: doublingLinear(true), conv: double(ins, outs, half) }
      : { up: transposedConvolution({ dims: DIMS, ins, outs: half, kernel: 2, stride: 2 }), conv: double(ins, outs) };
    return compose(wider, (call, { b }, x, skip) => {
      const grown = padTo(b, call('up', x!), skip!, 'zero', (lack) => Math.floor(lack / 2));
      return call('conv', concat(b, [skip!, grown]));
    });
  };
  const channels = Array.from({ length: LEVELS + 1 }, (_, level) => baseChannels * 2 ** level);
  // Interpolation keeps the number of channels, so what it interpolates has half of them.
  const narrow = (level: number): number => (bilinear && level > 0 ? channels[level]! / 2 : channels[level]!);
  const levels = Array.from({ length: LEVELS }, (_, i) => i + 1);
  const downs = levels.map(
    (i) => [`down${i}`, down(channels[i - 1]!, i === LEVELS ? narrow(i) : channels[i]!)] as const,
  );
  const ups = levels.map((i) => [`up${i}`, up(channels[LEVELS + 1 - i]!, narrow(LEVELS - i))] as const);
  const outc = convolution({ dims: DIMS, ins: baseChannels, outs: outChannels, kernel: 1 });
  const inc = double(inChannels, baseChannels);
  return compose({ inc, ...Object.fromEntries([...downs, ...ups]), 'outc.conv': outc }, (call, { b }, image) => {
    const features = [call('inc', image!)];
    for (const [name] of downs) features.push(call(name, features.at(-1)!));
    let x = features[LEVELS]!;
    for (const [i, [name]] of ups.entries()) x = call(name, x, features[LEVELS - 1 - i]!);
    return b.sigmoid(call('outc.conv', x));
  });
}
