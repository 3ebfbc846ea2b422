/**
 * MONAI's DynUNet: the networks of nnU-Net (Isensee et al. 2021, doi 10.1038/s41592-020-01008-z), with its state names.
 *
 * @module
 */
import { concat, stack } from '../../graph/functions';
import { activationOf, normOf } from '../../jobs/models/common';
import { type DynUNetOptions, type DynUNetSettings, dynUNetOptions } from '../../jobs/models/dynunet';
import { sizeOf } from '../../tensor/tensor';
import { parseOptions } from '../../util/parse-options';
import { type PerAxis, perAxis, strideProducts } from '../../util/per-axis';
import { resize } from '../layers/resize';
import { activation, dropout } from '../modules/activation';
import { convolution, transposedConvolution } from '../modules/convolution';
import { modelOf } from '../modules/model-of';
import { compose, type Module, sequential } from '../modules/module';
import { normalisation } from '../modules/normalisation';
import { redrawn, unusedDraw } from '../modules/redrawn';
import type { Draw, Model, ParameterSpec } from './definition';

/** Slope of the leaky ReLUs for which MONAI draws the weights, whatever the activation. */
const SLOPE = 0.01;

/** The network as data and as a function that writes graph. @throws ConfigError when an option is out of range */
export function dynUNet(options: DynUNetOptions = {}): Model {
  const settings = parseOptions('dynunet', dynUNetOptions, options);
  const { spatialDims, inChannels, outChannels, strides } = settings;
  const heads = settings.deepSupervision ? settings.deepSuprNum : 0;
  const root = redrawn(withUnusedDraw(network(settings, heads)), heNormal);
  const aliases = skipLayerNames(
    root.state.map((spec) => ('buffer' in spec ? spec.buffer : spec.parameter).name),
    { levels: strides.length - 1, heads },
  );
  const head = { kind: 'dynunet', options: settings, spatialDims, inChannels, outChannels, aliases };
  const outputs = heads > 0 ? { trainingOutputs: 1 + heads } : {};
  return modelOf({ ...head, ...outputs, spatialDivisor: strideProducts(spatialDims, strides) }, root);
}

/** MONAI draws a number for nothing between the network and its heads. */
function withUnusedDraw(module: Module): Module {
  const ofHead = ({ name }: Draw): boolean => name.startsWith('deep_supervision_heads');
  const [body, heads] = [module.draws.filter((draw) => !ofHead(draw)), module.draws.filter(ofHead)];
  return { ...module, draws: [...body, unusedDraw, ...heads] };
}

/** He et al. (2015, arXiv:1502.01852) for leaky ReLUs; biases of convolutions become zero. */
function heNormal({ name, shape, initialiser }: ParameterSpec): ParameterSpec['initialiser'] | undefined {
  if (initialiser.kind !== 'uniform') return undefined;
  if (name.endsWith('bias')) return { kind: 'constant', value: 0 };
  const deviation = Math.sqrt(2 / (1 + SLOPE ** 2)) / Math.sqrt(sizeOf(shape.slice(1)));
  return { kind: 'normal', mean: 0, deviation };
}

function network(settings: DynUNetSettings, headCount: number): Module {
  const { spatialDims: dims, inChannels, outChannels, kernelSize, strides, upsampleKernelSize, resBlock } = settings;
  const most = dims === 3 ? 320 : 512;
  const filters = settings.filters ?? strides.map((_, level) => Math.min(32 * 2 ** level, most));
  const bottom = strides.length - 1;
  const block = (level: number): Module => {
    const ins = level === 0 ? inChannels : filters[level - 1]!;
    const shape = { ins, outs: filters[level]!, kernel: kernelSize[level]!, stride: strides[level]! };
    return resBlock ? residualBlock(settings, shape) : basicBlock(settings, shape);
  };
  /** A convolution, and dropout of its result. */
  const dropping = (conv: Module): Module => withDropout(conv, settings.dropout);
  const up = (level: number): Module => {
    const [outs, kernel] = [filters[level - 1]!, upsampleKernelSize[level - 1]!];
    const transp = { dims, ins: filters[level]!, outs, kernel, stride: kernel, bias: settings.transBias };
    const children = {
      transp_conv: dropping(transposedConvolution(transp)),
      conv_block: basicBlock(settings, { ins: 2 * outs, outs, kernel: kernelSize[level]!, stride: 1 }),
    };
    return compose(children, (call, { b }, x, skip) => call('conv_block', concat(b, [call('transp_conv', x!), skip!])));
  };
  const downs = ['input_block', ...strides.slice(1, -1).map((_, i) => `downsamples.${i}`)];
  const ups = downs.map((_, i) => `upsamples.${i}`);
  const output = (level: number): Module =>
    dropping(convolution({ dims, ins: filters[level]!, outs: outChannels, kernel: 1 }));
  const heads = Array.from({ length: headCount }, (_, i) => `deep_supervision_heads.${i}.conv`);
  const children = {
    ...Object.fromEntries(downs.map((name, level) => [name, block(level)])),
    bottleneck: block(bottom),
    ...Object.fromEntries(ups.map((name, i) => [name, up(bottom - i)])),
    'output_block.conv': output(0),
    ...Object.fromEntries(heads.map((name, i) => [name, output(i + 1)])),
  };
  return compose(children, (call, { b, training }, image) => {
    let x = image!;
    const skips = downs.map((name) => {
      x = call(name, x);
      return x;
    });
    x = call('bottleneck', x);
    const levels = ups.map((name, i) => {
      x = call(name, x, skips[skips.length - 1 - i]!);
      return x;
    });
    const result = call('output_block.conv', x);
    if (!training || headCount === 0) return result;
    const size = result.shape.slice(2);
    const others = heads.map((name, i) => resize(b, call(name, levels.at(-2 - i)!), { mode: 'nearest', size }));
    return stack(b, [result, ...others]);
  });
}

interface BlockShape {
  readonly ins: number;
  readonly outs: number;
  readonly kernel: PerAxis;
  readonly stride: PerAxis;
}

/** Named as MONAI's convolutions, whose dropout has a name only where there is one. */
function withDropout(conv: Module, probability: number): Module {
  return sequential(probability > 0 ? { conv, 'adn.D': dropout({ probability, per: 'element' }) } : { conv });
}

/** A convolution without bias, padded so that stride 1 keeps odd kernels' lengths. */
function conv(settings: DynUNetSettings, { ins, outs, kernel, stride }: BlockShape): Module {
  const dims = settings.spatialDims;
  const strides = perAxis(dims, stride);
  const padding = perAxis(dims, kernel).map((k, i) => Math.floor((k - strides[i]! + 1) / 2));
  return withDropout(convolution({ dims, ins, outs, kernel, stride, padding, bias: false }), settings.dropout);
}

function blockParts(settings: DynUNetSettings, shape: BlockShape) {
  const { norm, numGroups, act, negativeSlope } = settings;
  const { outs, kernel } = shape;
  const normal = (): Module => normalisation(normOf(norm, numGroups), outs);
  return {
    parts: {
      conv1: conv(settings, shape),
      conv2: conv(settings, { ins: outs, outs, kernel, stride: 1 }),
      lrelu: activation(activationOf(act, negativeSlope)),
      norm1: normal(),
      norm2: normal(),
    },
    normal,
  };
}

function basicBlock(settings: DynUNetSettings, shape: BlockShape): Module {
  return compose(blockParts(settings, shape).parts, (call, _, x) => {
    const half = call('lrelu', call('norm1', call('conv1', x!)));
    return call('lrelu', call('norm2', call('conv2', half)));
  });
}

function residualBlock(settings: DynUNetSettings, shape: BlockShape): Module {
  const { ins, outs, stride } = shape;
  const { parts, normal } = blockParts(settings, shape);
  const projected = ins !== outs || perAxis(settings.spatialDims, stride).some((s) => s !== 1);
  const shortcut = projected ? { conv3: conv(settings, { ins, outs, kernel: 1, stride }), norm3: normal() } : {};
  return compose({ ...parts, ...shortcut }, (call, { b }, x) => {
    const half = call('lrelu', call('norm1', call('conv1', x!)));
    const deep = call('norm2', call('conv2', half));
    return call('lrelu', b.add(deep, projected ? call('norm3', call('conv3', x!)) : x!));
  });
}

/** MONAI lists blocks and heads a second time, by their places in a chain of skip connections, `levels` long. */
function skipLayerNames(
  names: readonly string[],
  { levels, heads }: { readonly levels: number; readonly heads: number },
): ReadonlyMap<string, string> {
  const place = (level: number): string => `skip_layers.${'next_layer.'.repeat(level)}`;
  const blocks = new Map<string, string>([['bottleneck', `${place(levels).slice(0, -1)}`]]);
  for (let level = 0; level < levels; level++) {
    blocks.set(level === 0 ? 'input_block' : `downsamples.${level - 1}`, `${place(level)}downsample`);
    blocks.set(`upsamples.${levels - 1 - level}`, `${place(level)}upsample`);
  }
  for (let i = 0; i < heads; i++) blocks.set(`deep_supervision_heads.${i}`, `${place(i + 1)}super_head`);
  const aliases = names.flatMap((name) => {
    const block = [...blocks.keys()].find((key) => name.startsWith(`${key}.`));
    return block === undefined ? [] : [[blocks.get(block)! + name.slice(block.length), name] as const];
  });
  return new Map(aliases);
}
