import { type Shape, sizeOf } from '../../tensor/tensor';
import type { ResizeOps } from '../ops/resize';
import type { InterpreterRules } from './rule';

/** Linear interpolation to twice the length: neighbours and weights of each position, per axis. */
function* upsampleTaps(shape: Shape): Generator<readonly [from: number, to: number, weight: number]> {
  const doubled = shape.map((n, i) => (i < 2 ? n : 2 * n));
  for (let to = 0; to < sizeOf(doubled); to++) {
    let taps: (readonly [number, number])[] = [[0, 1]];
    let rest = to;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis]!;
      const position = rest % doubled[axis]!;
      rest = Math.floor(rest / doubled[axis]!);
      const size = step;
      const neighbours = axis < 2 ? [[position, 1] as const] : linearNeighbours(position, n);
      taps = taps.flatMap(([at, weight]) => neighbours.map(([i, w]) => [at + i * size, weight * w] as const));
      step *= n;
    }
    for (const [from, weight] of taps) yield [from, to, weight];
  }
}

/** Half-pixel centres: output 2k takes ¼ of k−1 and ¾ of k, output 2k+1 takes ¾ of k and ¼ of k+1, edges clamped. */
function linearNeighbours(position: number, length: number): readonly (readonly [number, number])[] {
  const near = position >> 1;
  const far = position % 2 === 0 ? Math.max(near - 1, 0) : Math.min(near + 1, length - 1);
  return [
    [near, 0.75],
    [far, 0.25],
  ];
}

export const resizeInterpreters: InterpreterRules<keyof ResizeOps> = {
  UpsampleLinear: ([x], _, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    for (const [from, to, weight] of upsampleTaps(x!.shape)) y[to]! += weight * x!.data[from]!;
    return [y];
  },
  UpsampleLinearGrad: ([dy], _, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    for (const [from, to, weight] of upsampleTaps(shape!)) dx[from]! += weight * dy!.data[to]!;
    return [dx];
  },
};
