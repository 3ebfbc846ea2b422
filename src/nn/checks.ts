/**
 * Checks of what callers hand to the engine.
 *
 * @module
 */
import { ShapeError } from '../errors';
import type { Feed } from '../onnx/session';
import { type NamedTensors, type Shape, sameShape, sizeOf, type Tensor } from '../tensor/tensor';
import { areMultiples, perAxisText } from '../util/per-axis';
import type { Model } from './models/definition';

/**
 * @param network its name in a step of several
 * @throws ShapeError when images of this shape do not fit the model
 */
export function assertImageShape(model: Model, shape: Shape, network = ''): void {
  const { inChannels, spatialDims, spatialDivisor } = model;
  const [batch, channels, ...spatial] = shape;
  const fits =
    batch !== undefined &&
    batch >= 1 &&
    channels === inChannels &&
    spatial.length === spatialDims &&
    areMultiples(spatial, spatialDivisor);
  if (fits) return;
  const subject = network === '' ? `The model '${model.kind}'` : `Network '${network}' ('${model.kind}')`;
  const divisor = perAxisText(spatialDivisor);
  throw new ShapeError(
    `${subject} takes images [N, ${inChannels}, ${spatialDims} spatial lengths that are multiples of ${divisor}], not [${shape}].`,
    { hint: `Choose images, or a roi, whose lengths are multiples of ${divisor}.` },
  );
}

/** @throws ShapeError when the array does not fill the shape */
export function feedOf(name: string, shape: Shape, data: Float32Array): Feed {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`'${name}' needs ${sizeOf(shape)} numbers for shape [${shape}], but has ${data.length}.`);
  }
  return { shape, data };
}

/** The model's parameters out of `tensors`. @throws ShapeError naming the first that is missing or does not fit */
export function* parameterFeeds(model: Model, tensors: NamedTensors): Generator<readonly [name: string, feed: Feed]> {
  for (const { name, shape } of model.parameters) yield [name, floatFeed('Parameter', name, shape, tensors.get(name))];
}

/** The model's parameters and float32 buffers out of `tensors`. @throws ShapeError as {@link parameterFeeds} */
export function* modelFeeds(model: Model, tensors: NamedTensors): Generator<readonly [name: string, feed: Feed]> {
  yield* parameterFeeds(model, tensors);
  for (const { name, shape, dtype } of model.buffers ?? []) {
    if (dtype === 'float32') yield [name, floatFeed('Buffer', name, shape, tensors.get(name))];
  }
}

/** A tensor that must be float32 and of this shape. @throws ShapeError saying what it is, what was expected and what came */
export function floatFeed(what: string, name: string, shape: Shape, found: Tensor | undefined): Feed {
  if (!found) throw new ShapeError(`${what} '${name}' is missing; float32 [${shape}] was expected.`);
  const { dtype, data } = found;
  if (!(data instanceof Float32Array) || !sameShape(found.shape, shape)) {
    throw new ShapeError(`${what} '${name}' must be float32 [${shape}], but is ${dtype} [${found.shape}].`);
  }
  return { shape, data };
}

/** The model's further inputs for so many samples. @throws ShapeError naming the first that is missing or does not fit */
export function conditionFeeds(
  { conditions = [] }: Model,
  samples: number,
  given: ReadonlyMap<string, Float32Array> = new Map(),
): readonly (readonly [name: string, feed: Feed])[] {
  return conditions.map(({ name, features }) => {
    return [name, feedOf(name, [samples, features], given.get(name) ?? new Float32Array())];
  });
}
