import type { NormOps } from '../../graph/ops/norm';
import { lowerBatchNorm, lowerBatchNormGrad } from '../lower-batch-norm';
import { lowerGroupNorm, lowerGroupNormGrad } from '../lower-norm';
import type { OnnxRules } from './rule';

export const normRules: OnnxRules<keyof NormOps> = {
  BatchNorm: lowerBatchNorm,
  BatchNormGrad: lowerBatchNormGrad,
  GroupNorm: lowerGroupNorm,
  GroupNormGrad: lowerGroupNormGrad,
};
