import type { NormOps } from '../ops/norm';
import type { VjpRules } from './rule';

export const normVjps: VjpRules<keyof NormOps> = {
  GroupNorm: (b, g, { inputs: [x, scale], outputs: [, mean, rstd], attrs: { groups } }) =>
    b.emitAll('GroupNormGrad', [g, x!, scale!, mean!, rstd!], { groups }),
  BatchNorm: (b, g, { inputs: [x, scale], outputs: [, mean, variance], attrs: { epsilon } }) =>
    b.emitAll('BatchNormGrad', [g, x!, scale!, mean!, variance!], { epsilon }),
  BatchNormGrad: { notDifferentiable: 'a gradient itself: nothing here differentiates twice' },
  GroupNormGrad: { notDifferentiable: 'a gradient itself: nothing here differentiates twice' },
};
