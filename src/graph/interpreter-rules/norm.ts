import type { NormOps } from '../ops/norm';
import { batchNorm, batchNormGrad } from './batch-norm';
import { groupNorm, groupNormGrad } from './group-norm';
import type { InterpreterRules } from './rule';

export const normInterpreters: InterpreterRules<keyof NormOps> = {
  GroupNorm: ([x, scale, shift], { groups, epsilon }) => groupNorm(x!, scale!, shift!, groups, epsilon),
  BatchNorm: ([x, scale, shift], { epsilon }) => batchNorm(x!, scale!, shift!, epsilon),
  BatchNormGrad: ([dy, x, scale, mean, variance], { epsilon }) =>
    batchNormGrad(dy!, x!, scale!, mean!, variance!, epsilon),
  GroupNormGrad: ([dy, x, scale, mean, rstd], { groups }) => groupNormGrad(dy!, x!, scale!, mean!, rstd!, groups),
};
