/**
 * MONAI's building blocks, with the names of its state: `conv`, then `adn`, the normalisation (N), dropout (D) and
 * activation (A) in a chosen order.
 *
 * @module
 */
import type { ActivationSpec, NormSpec } from '../../jobs/models/common';
import { type PerAxis, perAxis } from '../../util/per-axis';
import { activation, dropout } from './activation';
import { convolution, transposedConvolution } from './convolution';
import { compose, type Module, sequential } from './module';
import { normalisation } from './normalisation';

export interface AdnOptions {
  readonly norm: NormSpec;
  readonly act: ActivationSpec;
  /** Chance that an element is dropped. */
  readonly dropout: number;
  /** Letters N, D, A in the order in which they are applied. */
  readonly ordering: string;
}

export interface MonaiConvolution {
  readonly dims: number;
  readonly ins: number;
  readonly outs: number;
  readonly kernel: PerAxis;
  /** @default 1 */
  readonly stride?: PerAxis;
  readonly bias: boolean;
  /** What follows the convolution; nothing when omitted. */
  readonly adn?: AdnOptions;
}

/** Odd kernels, padded by half of them; ⌈n/stride⌉ along each axis. */
export function monaiConvolution(options: MonaiConvolution): Module {
  return withAdn(convolution(options), options);
}

/** Lengths times the stride, for odd kernels. */
export function monaiTransposed(options: MonaiConvolution): Module {
  const { dims, kernel, stride = 1 } = options;
  const padding = perAxis(dims, kernel).map((k) => Math.floor((k - 1) / 2));
  const outputPadding = perAxis(dims, stride).map((s) => s - 1);
  return withAdn(transposedConvolution({ ...options, padding, outputPadding }), options);
}

function withAdn(conv: Module, { outs, adn }: MonaiConvolution): Module {
  return sequential(adn ? { conv, adn: adnOf(outs, adn) } : { conv });
}

function adnOf(channels: number, { norm, act, dropout: probability, ordering }: AdnOptions): Module {
  const parts: Readonly<Record<string, Module>> = {
    N: normalisation(norm, channels),
    D: dropout({ probability, per: 'element' }),
    A: activation(act),
  };
  return sequential(Object.fromEntries([...ordering].map((letter) => [letter, parts[letter]!])));
}

/**
 * `units` convolutions, the first of which strides, beside a residual connection: the input itself, or a convolution of it
 * where stride or channels change.
 *
 * @param lastBare leaves out what follows the last convolution
 */
export function residualUnit(
  options: MonaiConvolution & { readonly adn: AdnOptions; readonly units: number; readonly lastBare?: boolean },
): Module {
  const { dims, ins, outs, kernel, stride = 1, bias, units, lastBare = false, adn } = options;
  const unit = (i: number): Module => {
    const first = i === 0;
    const shape = { dims, ins: first ? ins : outs, outs, kernel, stride: first ? stride : 1, bias };
    return monaiConvolution(lastBare && i === units - 1 ? shape : { ...shape, adn });
  };
  const conv = sequential(Object.fromEntries(Array.from({ length: units }, (_, i) => [`unit${i}`, unit(i)])));
  const strides = perAxis(dims, stride).some((s) => s !== 1);
  if (!strides && ins === outs) return compose({ conv }, (call, { b }, x) => b.add(call('conv', x!), x!));
  const residual = convolution({ dims, ins, outs, kernel: strides ? kernel : 1, stride, bias });
  return compose({ conv, residual }, (call, { b }, x) => b.add(call('conv', x!), call('residual', x!)));
}
