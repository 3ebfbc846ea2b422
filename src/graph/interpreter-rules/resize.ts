import { type Shape, sizeOf } from '../../tensor/tensor';
import { resizeTaps } from '../interpolation';
import type { ResizeAttrs, ResizeOps } from '../ops/resize';
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

/** Calls `visit` for each product of a resize of x to y: an element of each, and the weight between them. */
function visitResize(
  x: Shape,
  y: Shape,
  attrs: ResizeAttrs,
  visit: (from: number, to: number, weight: number) => void,
): void {
  const channels = Array.from({ length: x[0]! * x[1]! }, (_, i) => [[i, 1] as const]);
  let pairs: (readonly [from: number, to: number, weight: number])[] = [[0, 0, 1]];
  for (const [i, taps] of [channels, ...resizeTaps(x.slice(2), attrs)].entries()) {
    const [inX, inY] = i === 0 ? [channels.length, channels.length] : [x[i + 1]!, y[i + 1]!];
    pairs = pairs.flatMap(([from, to, weight]) =>
      taps.flatMap((sources, place) =>
        sources.map(([source, w]) => [from * inX + source, to * inY + place, weight * w] as const),
      ),
    );
  }
  for (const [from, to, weight] of pairs) visit(from, to, weight);
}

export const resizeInterpreters: InterpreterRules<keyof ResizeOps> = {
  Resize: ([x], attrs, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    visitResize(x!.shape, shape!, attrs, (from, to, weight) => {
      y[to]! += weight * x!.data[from]!;
    });
    return [y];
  },
  ResizeGrad: ([dy], attrs, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    visitResize(shape!, dy!.shape, attrs, (from, to, weight) => {
      dx[from]! += weight * dy!.data[to]!;
    });
    return [dx];
  },
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
