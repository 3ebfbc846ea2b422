/**
 * Transposed convolution: the adjoint of a convolution in its input, as a layer that enlarges.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import { padSpatial, sliceAxis } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { convAttrs } from '../../graph/ops/conv';

export interface ConvTransposeOptions {
  /** One per spatial axis. Default 1. */
  readonly stride?: readonly number[];
  /** Rows cut off on both sides of each axis. Default 0. */
  readonly padding?: readonly number[];
  /** Rows added at the end of each axis, fewer than its stride or its dilation. Default 0. */
  readonly outputPadding?: readonly number[];
  /** Default 1. */
  readonly dilation?: readonly number[];
  /** Default 1. */
  readonly groups?: number;
}

/**
 * x `[N, I, ...n]` by weight `[I, O/groups, ...k]`, PyTorch's layout:
 * `[N, O, ...]` with (n − 1)·stride − 2·padding + dilation·(k − 1) + 1 + outputPadding positions along each axis.
 *
 * @throws ShapeError when shapes do not fit, or an output padding is below neither its stride nor its dilation
 */
export function convTranspose(b: Builder, x: Value, weight: Value, options: ConvTransposeOptions = {}): Value {
  const kernel = weight.shape.slice(2);
  const all = (value: number): readonly number[] => kernel.map(() => value);
  const { stride = all(1), padding = all(0), outputPadding = all(0), dilation = all(1), groups = 1 } = options;
  const whole = { stride, padding, outputPadding, dilation, groups };
  const reach = kernel.map((k, i) => (x.shape[i + 2]! - 1) * stride[i]! + dilation[i]! * (k - 1) + 1);
  const spatial = reach.map((n, i) => n - 2 * padding[i]! + outputPadding[i]!);
  check(b, x, weight, whole, spatial);
  // From the stride on, output padding shows what no convolution of stride `stride` has as its input: the axis is written
  // without padding, and cut or filled up afterwards.
  const late = outputPadding.map((p, i) => p >= stride[i]!);
  const attrs = convAttrs({ stride, padding: padding.map((p, i) => (late[i] ? 0 : p)), dilation, groups });
  const y = b.emit('ConvInputGrad', [x, weight], {
    ...attrs,
    spatial: spatial.map((n, i) => (late[i] ? reach[i]! : n)),
  });
  return late.reduce((value, isLate, i) => (isLate ? window(b, value, i, padding[i]!, spatial[i]!) : value), y);
}

/** `length` positions of a spatial axis from `start` on; zeros beyond its end. */
function window(b: Builder, x: Value, spatialAxis: number, start: number, length: number): Value {
  const axis = spatialAxis + 2;
  const end = Math.min(start + length, x.shape[axis]!);
  const lack = x.shape.slice(2).map((_, i) => (i === spatialAxis ? start + length - end : 0));
  return padSpatial(
    b,
    sliceAxis(b, x, axis, start, end),
    'zero',
    lack.map(() => 0),
    lack,
  );
}

/** What the operator would say in the words of the convolution whose input's gradient this is. */
function check(
  b: Builder,
  x: Value,
  weight: Value,
  { stride, padding, outputPadding, dilation, groups }: Required<ConvTransposeOptions>,
  spatial: readonly number[],
): void {
  const rank = x.shape.length - 2;
  const ensure = (holds: boolean, rule: string): void => {
    if (holds) return;
    throw b.shapeError(`convTranspose: ${rule}, but the input is [${x.shape}] and the weight [${weight.shape}].`);
  };
  ensure(rank >= 1 && rank <= 3, 'the input must have one to three spatial axes');
  ensure(weight.shape.length === rank + 2, 'input and weight must have the same number of axes');
  for (const [name, values, least] of [
    ['stride', stride, 1],
    ['padding', padding, 0],
    ['outputPadding', outputPadding, 0],
    ['dilation', dilation, 1],
  ] as const) {
    const fits = values.length === rank && values.every((n) => Number.isInteger(n) && n >= least);
    ensure(fits, `${name} [${values}] must give a whole number of at least ${least} for each of ${rank} spatial axes`);
  }
  ensure(
    weight.shape[0] === x.shape[1],
    'the weight must have as many input channels (axis 0) as the input has channels (axis 1)',
  );
  const divides = Number.isInteger(groups) && groups >= 1 && x.shape[1]! % groups === 0;
  ensure(divides, `groups (${groups}) must divide the input's channels`);
  ensure(
    outputPadding.every((p, i) => p < stride[i]! || p < dilation[i]!),
    `the output padding [${outputPadding}] must be below the stride [${stride}] or the dilation [${dilation}] along each axis`,
  );
  ensure(
    spatial.every((n) => n >= 1),
    `the padding [${padding}] leaves lengths of [${spatial}], which must be at least 1`,
  );
}
