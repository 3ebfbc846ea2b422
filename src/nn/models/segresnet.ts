/**
 * SegResNet: an encoder–decoder of pre-activation residual blocks (Myronenko 2018, arXiv:1810.11654, without the
 * variational branch), with MONAI's parameter names, shapes and order.
 *
 * @module
 */
import { z } from 'zod';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { addBias, conv } from '../layers/conv';
import { applyChannelMask } from '../layers/dropout';
import { groupNorm } from '../layers/norm';
import { parseOptions } from '../options';
import type { Forward, Model } from './definition';
import { segResNetDrawOrder, segResNetParameters } from './segresnet-parameters';

const count = z.int().positive();

export const segResNetOptions = z
  .strictObject({
    /** Images are 2-D or 3-D. */
    spatialDims: z.union([z.literal(2), z.literal(3)]).default(3),
    /** Channels of the stem; each level down has twice as many. A multiple of `numGroups`. */
    initFilters: count.default(16),
    inChannels: count.default(4),
    outChannels: count.default(3),
    /** Chance that a channel of the stem is dropped in training, [0, 1). */
    dropoutProb: z.number().min(0).lt(1).default(0.2),
    /** Residual blocks of each level, downwards. */
    blocksDown: z.array(count).nonempty().default([1, 2, 2, 4]),
    /** Residual blocks of each level, upwards: one level fewer. */
    blocksUp: z.array(count).default([1, 1, 1]),
    /** Groups of the normalisation layers. */
    numGroups: count.default(8),
  })
  .refine((o) => o.initFilters % o.numGroups === 0, {
    error: 'must be a multiple of numGroups',
    path: ['initFilters'],
  })
  .refine((o) => o.blocksUp.length === o.blocksDown.length - 1, {
    error: 'must have one level fewer than blocksDown',
    path: ['blocksUp'],
  });

export type SegResNetOptions = z.input<typeof segResNetOptions>;
export type SegResNetSettings = z.output<typeof segResNetOptions>;

/** Name of the dropout after the stem. */
const STEM_DROPOUT = 'convInit.dropout';

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function segResNet(options: SegResNetOptions = {}): Model {
  const settings = parseOptions('segresnet', segResNetOptions, options);
  const { dropoutProb, initFilters } = settings;
  return {
    kind: 'segresnet',
    options: settings,
    spatialDims: settings.spatialDims,
    inChannels: settings.inChannels,
    outChannels: settings.outChannels,
    spatialDivisor: 2 ** (settings.blocksDown.length - 1),
    parameters: segResNetParameters(settings),
    drawOrder: segResNetDrawOrder(settings),
    dropouts: dropoutProb > 0 ? [{ name: STEM_DROPOUT, channels: initFilters, probability: dropoutProb }] : [],
    build: (forward) => build(settings, forward),
  };
}

function build({ blocksDown, blocksUp, numGroups }: SegResNetSettings, forward: Forward): Value {
  const { b, image, parameters, masks } = forward;
  const parameter = (name: string): Value => parameters.get(name)!;
  const normalised = (x: Value, name: string): Value =>
    b.relu(groupNorm(b, x, parameter(`${name}.weight`), parameter(`${name}.bias`), numGroups));
  const block = (x: Value, name: string): Value => {
    const half = conv(b, normalised(x, `${name}.norm1`), parameter(`${name}.conv1.conv.weight`));
    return b.add(conv(b, normalised(half, `${name}.norm2`), parameter(`${name}.conv2.conv.weight`)), x);
  };
  const stem = conv(b, image, parameter('convInit.conv.weight'));
  const mask = masks.get(STEM_DROPOUT);
  let x = mask ? applyChannelMask(b, stem, mask) : stem;
  const skips: Value[] = [];
  for (const [level, blocks] of blocksDown.entries()) {
    if (level > 0) x = conv(b, x, parameter(`down_layers.${level}.0.conv.weight`), 2);
    for (let i = 1; i <= blocks; i++) x = block(x, `down_layers.${level}.${i}`);
    skips.push(x);
  }
  for (const [level, blocks] of blocksUp.entries()) {
    const narrowed = conv(b, x, parameter(`up_samples.${level}.0.conv.weight`));
    x = b.add(upsample(b, narrowed), skips[skips.length - 2 - level]!);
    for (let i = 0; i < blocks; i++) x = block(x, `up_layers.${level}.${i}`);
  }
  const logits = conv(b, normalised(x, 'conv_final.0'), parameter('conv_final.2.conv.weight'));
  return addBias(b, logits, parameter('conv_final.2.conv.bias'));
}

function upsample(b: Builder, x: Value): Value {
  return b.emit('UpsampleLinear', [x], {});
}
