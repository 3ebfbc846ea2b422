/**
 * Normalisation layers as modules, with PyTorch's names, ε = 1e-5 and momentum 0.1.
 *
 * @module
 */
import type { NormSpec } from '../../jobs/models/common';
import { groupNorm, instanceNorm } from '../layers/norm';
import type { ParameterSpec } from '../models/definition';
import { batchNormalisation } from './batch-norm';
import { identity, leaf, type Module } from './module';

/** The normalisation of `channels` channels that a specification names. */
export function normalisation(spec: NormSpec, channels: number): Module {
  switch (spec.kind) {
    case 'group':
      return leaf(scaleAndShift(channels), (at, x) =>
        groupNorm(at.b, x!, at.parameter('weight'), at.parameter('bias'), spec.groups),
      );
    case 'instance':
      return leaf([], ({ b, training }, x) => instanceNorm(b, x!, { training }));
    case 'instance-affine':
      return leaf(scaleAndShift(channels), (at, x) =>
        instanceNorm(at.b, x!, {
          training: at.training,
          scale: at.parameter('weight'),
          shift: at.parameter('bias'),
        }),
      );
    case 'batch':
      return batchNormalisation(channels);
    case 'none':
      return identity;
  }
}

/** `weight`, ones, and `bias`, zeros. */
export function scaleAndShift(channels: number): readonly { readonly parameter: ParameterSpec }[] {
  const normal = { shape: [channels], normalisation: true } as const;
  return [
    { parameter: { name: 'weight', ...normal, initialiser: { kind: 'constant', value: 1 } } },
    { parameter: { name: 'bias', ...normal, initialiser: { kind: 'constant', value: 0 } } },
  ];
}
