/**
 * SegResNet: an encoder–decoder of pre-activation residual blocks (Myronenko 2018, arXiv:1810.11654, without the
 * variational branch), with MONAI's parameter names, shapes and order.
 *
 * @module
 */

import { type SegResNetOptions, type SegResNetSettings, segResNetOptions } from '../../jobs/model-spec';
import { activationOf, normOf } from '../../jobs/models/common';
import { parseOptions } from '../../util/parse-options';
import { activation, dropout } from '../modules/activation';
import { type ConvolutionOptions, convolution, transposedConvolution } from '../modules/convolution';
import { modelOf } from '../modules/model-of';
import { compose, type Module, sequential } from '../modules/module';
import { normalisation } from '../modules/normalisation';
import { doublingLinear } from '../modules/resize';
import { doublingSubpixel } from '../modules/subpixel';
import type { Model } from './definition';

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function segResNet(options: SegResNetOptions = {}): Model {
  const settings = parseOptions('segresnet', segResNetOptions, options);
  const { spatialDims, inChannels, initFilters, useConvFinal, act } = settings;
  const outChannels = useConvFinal ? settings.outChannels : initFilters;
  const head = { kind: 'segresnet', options: settings, spatialDims, inChannels, outChannels };
  // MONAI lists the one activation of the network under both names.
  const aliases = act === 'prelu' ? { aliases: new Map([['conv_final.1.weight', 'act_mod.weight']]) } : {};
  return modelOf({ ...head, ...aliases, spatialDivisor: 2 ** (settings.blocksDown.length - 1) }, network(settings));
}

/** In the order of the state; construction draws the upsampling of a level after its blocks. */
function network(settings: SegResNetSettings): Module {
  const { inChannels, initFilters, blocksDown, blocksUp, dropoutProb, useConvFinal } = settings;
  const layers = layersOf(settings);
  const up = [...blocksUp.entries()].map(([level, blocks]) => {
    const channels = initFilters * 2 ** (blocksUp.length - 1 - level);
    return { level, blocks: layers.up(channels, blocks), upsampling: layers.upsampling(channels) };
  });
  const children = {
    act_mod: layers.act(),
    convInit: layers.conv({ ins: inChannels, outs: initFilters, kernel: 3 }),
    'convInit.dropout': dropout({ probability: dropoutProb, per: 'channel' }),
    ...Object.fromEntries(blocksDown.map((blocks, level) => [`down_layers.${level}`, layers.down(level, blocks)])),
    ...Object.fromEntries(up.map(({ level, blocks }) => [`up_layers.${level}`, blocks])),
    ...Object.fromEntries(up.map(({ level, upsampling }) => [`up_samples.${level}`, upsampling])),
    'conv_final.0': layers.norm(initFilters),
    'conv_final.2': layers.conv({ ins: initFilters, outs: settings.outChannels, kernel: 1, bias: true }),
  };
  const down = blocksDown.map((_, level) => `down_layers.${level}`);
  const upwards = up.flatMap(({ level }) => [`up_layers.${level}`, `up_samples.${level}`]);
  return compose(
    children,
    (call, { b }, image) => {
      let x = call('convInit.dropout', call('convInit', image!));
      const skips = down.map((name) => {
        x = call(name, x);
        return x;
      });
      for (const { level } of up) {
        const wide = call(`up_samples.${level}`, x);
        x = call(`up_layers.${level}`, b.add(wide, skips[skips.length - 2 - level]!));
      }
      return useConvFinal ? call('conv_final.2', call('act_mod', call('conv_final.0', x))) : x;
    },
    ['convInit', ...down, ...upwards, 'conv_final.2'],
  );
}

/** The layers of the network, as its options make them. */
function layersOf({ spatialDims, initFilters, norm, numGroups, act, negativeSlope, upsampleMode }: SegResNetSettings) {
  const normal = (channels: number): Module => normalisation(normOf(norm, numGroups), channels);
  const active = (): Module => activation(activationOf(act, negativeSlope));
  /** Named `conv`, and without bias unless it says so. */
  const conv = (options: Omit<ConvolutionOptions, 'dims'>): Module =>
    sequential({ conv: convolution({ dims: spatialDims, bias: false, ...options }) });
  const block = (channels: number): Module => {
    const parts = { ins: channels, outs: channels, kernel: 3 };
    const children = { norm1: normal(channels), norm2: normal(channels), act: active() };
    return compose({ ...children, conv1: conv(parts), conv2: conv(parts) }, (call, { b }, x) => {
      const half = call('conv1', call('act', call('norm1', x!)));
      return b.add(call('conv2', call('act', call('norm2', half))), x!);
    });
  };
  const blocks = (channels: number, many: number, first: number): Readonly<Record<string, Module>> =>
    Object.fromEntries(Array.from({ length: many }, (_, i) => [String(first + i), block(channels)]));
  const upsampler = (channels: number): Module => {
    switch (upsampleMode) {
      case 'nontrainable':
        return doublingLinear(false);
      case 'deconv': {
        const shape = { ins: channels, outs: channels, kernel: 2, stride: 2 };
        return sequential({ deconv: transposedConvolution({ dims: spatialDims, ...shape }) });
      }
      case 'pixelshuffle':
        return sequential({ pixelshuffle: doublingSubpixel(spatialDims, channels) });
    }
  };
  return {
    conv,
    norm: normal,
    act: active,
    up: (channels: number, many: number): Module => sequential(blocks(channels, many, 0)),
    down: (level: number, many: number): Module => {
      const channels = initFilters * 2 ** level;
      const stride = conv({ ins: channels / 2, outs: channels, kernel: 3, stride: 2 });
      return sequential({ ...(level > 0 && { '0': stride }), ...blocks(channels, many, 1) });
    },
    upsampling: (channels: number): Module =>
      sequential({ '0': conv({ ins: 2 * channels, outs: channels, kernel: 1 }), '1': upsampler(channels) }),
  };
}
