/**
 * SegResNet: an encoder–decoder of pre-activation residual blocks (Myronenko 2018, arXiv:1810.11654, without the
 * variational branch), with MONAI's parameter names, shapes and order.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { type SegResNetOptions, type SegResNetSettings, segResNetOptions } from '../../jobs/model-spec';
import { parseOptions } from '../../util/parse-options';
import { addBias, conv } from '../layers/conv';
import { groupNorm } from '../layers/norm';
import type { Forward, Model } from './definition';
import { segResNetDrawOrder, segResNetParameters } from './segresnet-parameters';

/** Name of the dropout after the stem. */
const STEM_DROPOUT = 'convInit.dropout';

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function segResNet(options: SegResNetOptions = {}): Model {
  const settings = parseOptions('segresnet', segResNetOptions, options);
  return {
    kind: 'segresnet',
    options: settings,
    spatialDims: settings.spatialDims,
    inChannels: settings.inChannels,
    outChannels: settings.outChannels,
    spatialDivisor: 2 ** (settings.blocksDown.length - 1),
    parameters: segResNetParameters(settings),
    drawOrder: segResNetDrawOrder(settings),
    build: (forward) => build(settings, forward),
  };
}

function build({ blocksDown, blocksUp, numGroups, dropoutProb }: SegResNetSettings, forward: Forward): Value {
  const { b, image, parameters } = forward;
  const parameter = (name: string): Value => parameters.get(name)!;
  const normalised = (x: Value, name: string): Value =>
    b.relu(groupNorm(b, x, parameter(`${name}.weight`), parameter(`${name}.bias`), numGroups));
  const block = (x: Value, name: string): Value => {
    const half = conv(b, normalised(x, `${name}.norm1`), parameter(`${name}.conv1.conv.weight`));
    return b.add(conv(b, normalised(half, `${name}.norm2`), parameter(`${name}.conv2.conv.weight`)), x);
  };
  const stem = conv(b, image, parameter('convInit.conv.weight'));
  let x = forward.dropout(stem, { name: STEM_DROPOUT, probability: dropoutProb, per: 'channel' });
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
