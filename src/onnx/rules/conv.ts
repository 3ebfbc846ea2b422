import type { ConvOps } from '../../graph/ops/conv';
import { lowerConv, lowerConvInputGrad } from '../lower-conv';
import { lowerConvWeightGrad } from '../lower-conv-weight';
import type { OnnxRules } from './rule';

export const convRules: OnnxRules<keyof ConvOps> = {
  Conv: lowerConv,
  ConvInputGrad: lowerConvInputGrad,
  ConvWeightGrad: lowerConvWeightGrad,
};
