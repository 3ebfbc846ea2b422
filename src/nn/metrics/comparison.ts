/**
 * What metrics in a graph compare, and what they share.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { sameShape, sizeOf } from '../../tensor/tensor';

/** A network's result and what it should be. */
export interface Comparison {
  /** `[N, C, ...spatial]`. */
  readonly prediction: Value;
  readonly target: Value;
  /** `[N, 1 or C, ...spatial]`, 1 where a masked metric counts a voxel and 0 elsewhere; where target > 0 when omitted. */
  readonly mask?: Value;
}

/** @throws ShapeError unless the target has the prediction's shape */
export function requireSameShape(metric: string, { prediction, target }: Comparison): void {
  if (sameShape(prediction.shape, target.shape)) return;
  throw new ShapeError(
    `The metric ${metric} needs a target of shape [${prediction.shape}], the prediction's, but it is [${target.shape}].`,
  );
}

const axesOfImage = ({ shape }: Value): readonly number[] => shape.slice(1).map((_, i) => i + 1);

/** The sum of each image `[N, ...]`: `[N]`. */
export function imageSums(b: Builder, values: Value): Value {
  return b.reshape(b.reduceSum(values, axesOfImage(values)), [values.shape[0]!]);
}

/** The mean of each image `[N, ...]`: `[N]`. */
export function imageMeans(b: Builder, values: Value): Value {
  return b.scale(imageSums(b, values), 1 / sizeOf(values.shape.slice(1)));
}

/** Which voxels count, `[N, C, ...spatial]`: the mask given, or else where the target is above 0. */
export function countedVoxels(b: Builder, metric: string, { prediction, target, mask }: Comparison): Value {
  if (!mask) return b.emit('Greater', [target, b.scalar(0)], {});
  const [samples, , ...spatial] = prediction.shape;
  if (sameShape(mask.shape, prediction.shape)) return mask;
  if (!sameShape(mask.shape, [samples!, 1, ...spatial])) {
    throw new ShapeError(
      `The metric ${metric} needs a mask of shape [${[samples, 1, ...spatial]}] or [${prediction.shape}], but it is [${mask.shape}].`,
    );
  }
  return b.expand(mask, prediction.shape);
}
