/**
 * Convolutions, transposed convolutions and dense layers as modules, with PyTorch's names and initialisation.
 *
 * @module
 */
import { sizeOf } from '../../tensor/tensor';
import { type PerAxis, perAxis } from '../../util/per-axis';
import { addBias } from '../layers/conv';
import { convTranspose } from '../layers/conv-transpose';
import type { ParameterSpec } from '../models/definition';
import { leaf, type Module, type StateSpec } from './module';

export interface ConvolutionOptions {
  /** Spatial axes, 1 to 3. */
  readonly dims: number;
  readonly ins: number;
  readonly outs: number;
  readonly kernel: PerAxis;
  /** @default 1 */
  readonly stride?: PerAxis;
  /** Zeros on both sides of each axis. @default what keeps the size at stride 1 with an odd kernel; 0 when transposed */
  readonly padding?: PerAxis;
  /** @default 1 */
  readonly dilation?: PerAxis;
  /** @default 1 */
  readonly groups?: number;
  /** @default true */
  readonly bias?: boolean;
}

/** `weight` [outs, ins/groups, ...kernel] and, with bias, `bias` [outs]. */
export function convolution(options: ConvolutionOptions): Module {
  const { dims, ins, outs, groups = 1, bias = true } = options;
  const kernel = perAxis(dims, options.kernel);
  const dilation = perAxis(dims, options.dilation ?? 1);
  const same = kernel.map((k, i) => Math.floor((dilation[i]! * (k - 1)) / 2));
  const padding = options.padding === undefined ? same : perAxis(dims, options.padding);
  const attrs = { stride: perAxis(dims, options.stride ?? 1), padding, dilation, groups };
  const fanIn = (ins / groups) * sizeOf(kernel);
  return leaf(weighted([outs, ins / groups, ...kernel], fanIn, bias ? outs : 0), (at, x) => {
    const y = at.b.conv(x!, at.parameter('weight'), attrs);
    return bias ? addBias(at.b, y, at.parameter('bias')) : y;
  });
}

/**
 * The adjoint of a convolution, as PyTorch's ConvTranspose: `weight` [ins, outs/groups, ...kernel] and, with bias, `bias`
 * [outs]. Lengths become (n − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1.
 */
export function transposedConvolution(options: ConvolutionOptions & { readonly outputPadding?: PerAxis }): Module {
  const { dims, ins, outs, groups = 1, bias = true } = options;
  const kernel = perAxis(dims, options.kernel);
  const attrs = {
    stride: perAxis(dims, options.stride ?? 1),
    padding: perAxis(dims, options.padding ?? 0),
    outputPadding: perAxis(dims, options.outputPadding ?? 0),
    dilation: perAxis(dims, options.dilation ?? 1),
    groups,
  };
  const fanIn = (outs / groups) * sizeOf(kernel);
  return leaf(weighted([ins, outs / groups, ...kernel], fanIn, bias ? outs : 0), (at, x) => {
    const y = convTranspose(at.b, x!, at.parameter('weight'), attrs);
    return bias ? addBias(at.b, y, at.parameter('bias')) : y;
  });
}

/** A weight and, unless `biases` is 0, a bias: PyTorch draws both from U(−1/√fanIn, 1/√fanIn), the weight first. */
function weighted(shape: readonly number[], fanIn: number, biases: number): readonly StateSpec[] {
  const initialiser = { kind: 'uniform', fanIn } as const;
  const weight: ParameterSpec = { name: 'weight', shape, initialiser };
  if (biases === 0) return [{ parameter: weight }];
  return [{ parameter: weight }, { parameter: { name: 'bias', shape: [biases], initialiser } }];
}
