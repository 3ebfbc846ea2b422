/** What the losses of `test/golden/make/losses.py` are computed of. */
import { type Shape, sizeOf } from '../../src/tensor/tensor';

const sines = (shape: Shape, start: number, step: number, scale = 1): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(start + step * i));
const unit = (x: number): number => (1 + x) / 2;
/** Of class numbers for predictions of this shape. */
export const ofClasses = (shape: Shape): Shape => [shape[0]!, 1, ...shape.slice(2)];

/** The inputs of `test/golden/make/losses.py`. */
export const fills = {
  logits: (shape: Shape) => sines(shape, 1, 1.3, 2),
  other_logits: (shape: Shape) => sines(shape, 3, 0.9, 1.5),
  image: (shape: Shape) => sines(shape, 2, 0.7).map(unit),
  other_image: (shape: Shape) => sines(shape, 1, 0.45).map(unit),
  mask: (shape: Shape) => sines(shape, 5, 1.1).map((x) => Number(x > 0.2)),
  classes: (shape: Shape) =>
    sines(ofClasses(shape), 4, 1.9).map((x) => Math.min(Math.floor(unit(x) * shape[1]!), shape[1]! - 1)),
  shares: (shape: Shape) => channelSoftmax(sines(shape, 7, 2.3, 3), shape),
} as const;

function channelSoftmax(values: readonly number[], shape: Shape): number[] {
  const voxels = sizeOf(shape.slice(2));
  const stride = shape[1]! * voxels;
  const total = (i: number): number => {
    const first = Math.floor(i / stride) * stride + (i % voxels);
    return Array.from({ length: shape[1]! }, (_, c) => Math.exp(values[first + c * voxels]!)).reduce(
      (s, e) => s + e,
      0,
    );
  };
  return values.map((x, i) => Math.exp(x) / total(i));
}
