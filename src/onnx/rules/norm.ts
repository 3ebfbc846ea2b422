import type { NormOps } from '../../graph/ops/norm';
import { lowerGroupNorm, lowerGroupNormGrad } from '../lower-norm';
import type { OnnxRules } from './rule';

export const normRules: OnnxRules<keyof NormOps> = {
  GroupNorm: lowerGroupNorm,
  GroupNormGrad: lowerGroupNormGrad,
};
