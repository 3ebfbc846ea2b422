import type { NormOps } from '../ops/norm';
import { groupNorm, groupNormGrad } from './group-norm';
import type { InterpreterRules } from './rule';

export const normInterpreters: InterpreterRules<keyof NormOps> = {
  GroupNorm: ([x, scale, shift], { groups, epsilon }) => groupNorm(x!, scale!, shift!, groups, epsilon),
  GroupNormGrad: ([dy, x, scale, mean, rstd], { groups }) => groupNormGrad(dy!, x!, scale!, mean!, rstd!, groups),
};
