/**
 * What the options of several models share.
 *
 * @module
 */
import { z } from 'zod';

export const count = z.int().positive();

/** Images are 2-D or 3-D. */
export const spatialDims = z.union([z.literal(2), z.literal(3)]);

/** Chance to be dropped in training, [0, 1). */
export const probability = z.number().min(0).lt(1);

/** One number for every axis, or one number per axis. */
export const perAxis = z.union([count, z.array(count).min(2).max(3)]);

/** A normalisation of activations. `instance` has no scale and shift, `instance-affine` has. */
export type NormSpec =
  | { readonly kind: 'group'; readonly groups: number }
  | { readonly kind: 'instance' | 'instance-affine' | 'none' };

export const normName = z.enum(['group', 'instance', 'instance-affine']);

/** The normalisation of that name; `groups` counts for group normalisation only. */
export function normOf(kind: NormSpec['kind'], groups: number): NormSpec {
  return kind === 'group' ? { kind, groups } : { kind };
}

export interface ActivationSpec {
  readonly kind: 'relu' | 'sigmoid';
}
