/**
 * The generator of pFLSynth (Dalmaz et al. 2024, doi 10.1016/j.media.2024.103121): a residual network for 2-D images whose
 * every layer but the last is followed by a personalisation block, steered by a code of site and task.
 *
 * @module
 */
import { padSpatial, sliceAxis } from '../../graph/functions';
import { type PflSynthOptions, type PflSynthSettings, pflSynthOptions } from '../../jobs/models/pflsynth';
import { parseOptions } from '../../util/parse-options';
import { instanceNorm } from '../layers/norm';
import { activation, dropout } from '../modules/activation';
import { batchNormalisation } from '../modules/batch-norm';
import { type ConvolutionOptions, convolution, transposedConvolution } from '../modules/convolution';
import { equalisedLinear, linear } from '../modules/dense';
import { ganNormal } from '../modules/gan-normal';
import { modelOf } from '../modules/model-of';
import { chain, compose, type Module, sequential, stateless } from '../modules/module';
import { redrawn } from '../modules/redrawn';
import type { Model } from './definition';

const DIMS = 2;
const RESIDUAL_BLOCKS = 9;
/** The mapper learns that much slower than the rest. */
const MAPPER_RATE = 0.01;

/**
 * The network as data and as a function that writes graph. Its condition `code` is one-hot: the site, then the contrast of
 * the source, then that of the target.
 *
 * The dense layers of mapper and styles start as StyleGAN's. The released code overwrites them with N(0, 0.02), which makes
 * every code the same to the network.
 *
 * @throws ConfigError when an option is out of range
 */
export function pflSynth(options: PflSynthOptions = {}): Model {
  const settings = parseOptions('pflsynth', pflSynthOptions, options);
  const { inChannels, outChannels, sites, contrasts } = settings;
  const conditions = [{ name: 'code', features: sites + 2 * contrasts }];
  const head = { kind: 'pflsynth', options: settings, spatialDims: DIMS, inChannels, outChannels, conditions };
  return modelOf({ ...head, spatialDivisor: 4, freeDivisor: 8 }, redrawn(network(settings), ganNormal));
}

function network(settings: PflSynthSettings): Module {
  const { inChannels, outChannels, baseChannels: base, dropout: drops } = settings;
  const [wide, widest] = [2 * base, 4 * base];
  const residuals = Array.from(
    { length: RESIDUAL_BLOCKS },
    (_, i) => [`model_${i + 4}`, residual(widest, drops)] as const,
  );
  const channels = [base, wide, widest, ...residuals.map(() => widest), wide, base];
  const personal = channels.map((n, i) => [`personalization_blocks.${i}`, personalisation(n, settings)] as const);
  const stages: Readonly<Record<string, Module>> = {
    model_1: chain(
      mirrored(3),
      conv({ ins: inChannels, outs: base, kernel: 7, padding: 0 }),
      batchNormalisation(base),
      relu,
    ),
    model_2: chain(conv({ ins: base, outs: wide, kernel: 3, stride: 2 }), batchNormalisation(wide), relu),
    model_3: chain(conv({ ins: wide, outs: widest, kernel: 3, stride: 2 }), batchNormalisation(widest), relu),
    mapper: mapper(settings),
    ...Object.fromEntries([...personal, ...residuals]),
    model_13: chain(doubled(widest, wide), batchNormalisation(wide), relu),
    model_14: chain(doubled(wide, base), batchNormalisation(base), relu),
    model_15: chain(
      mirrored(3),
      conv({ ins: base, outs: outChannels, kernel: 7, padding: 0, bias: true }),
      activation({ kind: 'tanh' }),
    ),
  };
  return compose(stages, (call, { conditions }, image) => {
    const latent = call('mapper', conditions.get('code')!);
    let x = image!;
    for (const i of channels.keys()) x = call(`personalization_blocks.${i}`, call(`model_${i + 1}`, x), latent);
    return call('model_15', x);
  });
}

const relu = activation({ kind: 'relu' });

/** Batch normalisation follows: no bias, unless it says so. */
function conv(options: Omit<ConvolutionOptions, 'dims'>): Module {
  return convolution({ dims: DIMS, bias: false, ...options });
}

function doubled(ins: number, outs: number): Module {
  const shape = { dims: DIMS, ins, outs, kernel: 3, stride: 2, padding: 1, outputPadding: 1 };
  return transposedConvolution({ ...shape, bias: false });
}

/** Reflection of `n` elements at every border. */
function mirrored(n: number): Module {
  return stateless((b, x) => padSpatial(b, x!, 'reflect', [n, n]));
}

function residual(channels: number, drops: boolean): Module {
  const half = (): readonly Module[] => [
    mirrored(1),
    conv({ ins: channels, outs: channels, kernel: 3, padding: 0 }),
    batchNormalisation(channels),
  ];
  const dropped = drops ? [dropout({ probability: 0.5, per: 'element' })] : [];
  return compose({ conv_block: chain(...half(), relu, ...dropped, ...half()) }, (call, { b }, x) =>
    b.add(x!, call('conv_block', x!)),
  );
}

/** Code → latent: dense layers, each with a leaky ReLU, the last one too. */
function mapper({ sites, contrasts, mappingLayers, latentSize }: PflSynthSettings): Module {
  const act = activation({ kind: 'leaky-relu', slope: 0.2 });
  const layers = Array.from({ length: mappingLayers }, (_, i) => {
    const ins = i === 0 ? sites + 2 * contrasts : latentSize;
    const dense = equalisedLinear({ ins, outs: latentSize, gain: Math.SQRT2, rateFactor: MAPPER_RATE });
    return { [`dense${i}`]: dense, [`dense${i}_act`]: act };
  });
  return sequential({ map: sequential(Object.assign({}, ...layers)) });
}

/**
 * (x, latent): instance normalisation with scale and shift from the latent (STIN), then a gate per channel from the latent
 * (STCA).
 */
function personalisation(channels: number, { latentSize, reduction }: PflSynthSettings): Module {
  const narrow = channels / reduction;
  const style = equalisedLinear({ ins: latentSize, outs: 2 * channels, gain: 1, rateFactor: 1 });
  const gate = chain(linear(latentSize, narrow), relu, linear(narrow, channels), activation({ kind: 'sigmoid' }));
  return compose({ 'adain.style_mod.lin': style, 'adacw.fc': gate }, (call, { b, training }, x, latent) => {
    const perChannel = (value: typeof latent) => b.reshape(value!, [x!.shape[0]!, channels, 1, 1]);
    const styles = call('adain.style_mod.lin', latent!);
    const scale = b.add(perChannel(sliceAxis(b, styles, 1, 0, channels)), b.scalar(1));
    const shift = perChannel(sliceAxis(b, styles, 1, channels, 2 * channels));
    const styled = b.add(b.mul(instanceNorm(b, x!, { training }), scale), shift);
    return b.mul(styled, perChannel(call('adacw.fc', latent!)));
  });
}
