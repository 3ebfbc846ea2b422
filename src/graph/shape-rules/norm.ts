import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { NormOps } from '../ops/norm';
import { ensure, type ShapeRules } from './rule';

function groupNormShapes(x: Shape, scale: Shape, shift: Shape, groups: number): readonly Shape[] {
  ensure(x.length >= 3, 'GroupNorm', 'an input [N, C, ...spatial] is expected', [x]);
  ensure(x[1]! % groups === 0, 'GroupNorm', `${groups} groups must divide the channels (axis 1)`, [x]);
  const perChannel = [x[1]!];
  ensure(
    sameShape(scale, perChannel) && sameShape(shift, perChannel),
    'GroupNorm',
    'scale and shift must have one element per channel',
    [x, scale, shift],
  );
  return [x, [x[0]!, groups], [x[0]!, groups]];
}

function batchNormShapes(op: Op, x: Shape, perChannel: readonly Shape[]): readonly Shape[] {
  ensure(x.length >= 2, op, 'an input [N, C, ...spatial] is expected', [x]);
  const fits = perChannel.every((shape) => sameShape(shape, [x[1]!]));
  ensure(fits, op, 'scale, shift and statistics must have one element per channel', [x, ...perChannel]);
  return [x, [x[1]!], [x[1]!]];
}

export const normShapes: ShapeRules<keyof NormOps> = {
  GroupNorm: ([x, scale, shift], { groups }) => groupNormShapes(x!, scale!, shift!, groups),
  BatchNorm: ([x, ...perChannel]) => batchNormShapes('BatchNorm', x!, perChannel),
  BatchNormGrad: ([dy, x, ...perChannel]) => {
    ensure(sameShape(dy!, x!), 'BatchNormGrad', 'gradient and input must have one shape', [dy!, x!]);
    return batchNormShapes('BatchNormGrad', x!, perChannel);
  },
  GroupNormGrad: ([dy, x, scale, mean, rstd], { groups }) => {
    const [y, moment] = groupNormShapes(x!, scale!, scale!, groups);
    const fits = sameShape(y!, dy!) && sameShape(moment!, mean!) && sameShape(moment!, rstd!);
    ensure(fits, 'GroupNormGrad', 'gradient, mean and rstd must have the shapes of GroupNorm', [dy!, x!, mean!, rstd!]);
    return [x!, scale!, scale!];
  },
};
