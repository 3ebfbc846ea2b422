/**
 * Interpolation to another grid. Nearest neighbours with whole factors are repeated; everything else is one matrix product
 * per axis.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { resizedLengths, resizeTaps } from '../graph/interpolation';
import type { ResizeAttrs } from '../graph/ops/resize';
import { sizeOf } from '../tensor/tensor';
import { applyMatrices, matrixOf, repeatPositions, transposed } from './axis-matrix';
import type { OnnxWriter } from './writer';

/** How often nearest neighbours are repeated along each axis, if they all are. */
function repeats(spatial: readonly number[], attrs: ResizeAttrs): readonly number[] | undefined {
  const lengths = resizedLengths(spatial, attrs);
  const whole = lengths.every(
    (n, i) => n % spatial[i]! === 0 && (!('scale' in attrs) || attrs.scale[i] === n / spatial[i]!),
  );
  return attrs.mode === 'nearest' && whole ? lengths.map((n, i) => n / spatial[i]!) : undefined;
}

export function lowerResize(
  w: OnnxWriter,
  { attrs, inputs }: NodeOf<'Resize'>,
  [x]: readonly string[],
): readonly string[] {
  const { shape } = inputs[0]!;
  const spatial = shape.slice(2);
  const times = repeats(spatial, attrs);
  if (times) return [repeatPositions(w, x!, shape, times)];
  const matrices = resizeTaps(spatial, attrs).map((taps, i) => matrixOf(taps, spatial[i]!));
  return [applyMatrices(w, x!, shape, matrices)];
}

export function lowerResizeGrad(
  w: OnnxWriter,
  { attrs, inputs }: NodeOf<'ResizeGrad'>,
  [dy]: readonly string[],
): readonly string[] {
  const { spatial } = attrs;
  const times = repeats(spatial, attrs);
  if (times) {
    const means = w.node('AveragePool', [dy!], { kernel_shape: times, strides: times });
    return [w.node('Mul', [means, w.scalar(sizeOf(times))])];
  }
  const matrices = resizeTaps(spatial, attrs).map((taps, i) => transposed(matrixOf(taps, spatial[i]!)));
  return [applyMatrices(w, dy!, inputs[0]!.shape, matrices)];
}
