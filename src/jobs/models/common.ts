/**
 * What the options of several models share.
 *
 * @module
 */
import { z } from 'zod';

export const count = z.int().positive();

/** Images are 2-D or 3-D. */
export const spatialDims = z.literal([2, 3]);

/** Signals, of one axis, too. */
export const oneToThreeDims = z.literal([1, 2, 3]);

/** Chance to be dropped in training, [0, 1). */
export const probability = z.number().min(0).lt(1);

/** One number for every axis, or one number per axis. */
export const perAxisOption = z.union([count, z.array(count).min(1).max(3)]);

/** The same for odd numbers. */
export const oddPerAxisOption = perAxisOption.refine((value) => [value].flat().every((n) => n % 2 === 1), {
  error: 'must be odd',
});

/** A normalisation of activations. `instance` has no scale and shift, `instance-affine` has. */
export type NormSpec =
  | { readonly kind: 'group'; readonly groups: number }
  | { readonly kind: 'batch' | 'instance' | 'instance-affine' | 'none' };

export const normName = z.enum(['group', 'batch', 'instance', 'instance-affine']);

/** The normalisation of that name; `groups` counts for group normalisation only. */
export function normOf(kind: NormSpec['kind'], groups: number): NormSpec {
  return kind === 'group' ? { kind, groups } : { kind };
}

/** `slope` is that of the negative side. PReLU trains it, from 0.25. SiLU is MONAI's `swish`. */
export type ActivationSpec =
  | { readonly kind: 'leaky-relu'; readonly slope: number }
  | { readonly kind: 'relu' | 'prelu' | 'silu' | 'mish' | 'elu' | 'sigmoid' | 'tanh' };

export const activationName = z.enum(['relu', 'leaky-relu', 'prelu', 'silu', 'mish', 'elu']);

/** Slope of the leaky ReLU. */
export const negativeSlope = z.number().positive();

/** The activation of that name; `slope` counts for the leaky ReLU only. */
export function activationOf(kind: ActivationSpec['kind'], slope: number): ActivationSpec {
  return kind === 'leaky-relu' ? { kind, slope } : { kind };
}
