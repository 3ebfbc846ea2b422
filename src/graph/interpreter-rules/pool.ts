import { type Shape, sizeOf } from '../../tensor/tensor';
import type { AveragePoolAttrs, PoolAttrs, PoolOps } from '../ops/pool';
import type { InterpreterRules } from './rule';

/** Calls `visit` for each window of the pooling from x to y, with the positions of x that it covers, in C order. */
function visitWindows(x: Shape, y: Shape, attrs: PoolAttrs, visit: (window: number, covered: number[]) => void): void {
  const [rows, windows] = [sizeOf(x.slice(2)), sizeOf(y.slice(2))];
  for (let window = 0; window < windows; window++) {
    const covered = coveredBy(window, x.slice(2), y.slice(2), attrs);
    for (let channel = 0; channel < x[0]! * x[1]!; channel++) {
      visit(
        channel * windows + window,
        covered.map((at) => channel * rows + at),
      );
    }
  }
}

function coveredBy(window: number, x: Shape, y: Shape, { kernel, stride, padding }: PoolAttrs): number[] {
  let covered = [0];
  for (const [axis, n] of x.entries()) {
    const place = Math.floor(window / sizeOf(y.slice(axis + 1))) % y[axis]!;
    const start = place * stride[axis]! - padding[axis]!;
    const inside = Array.from({ length: kernel[axis]! }, (_, tap) => start + tap).filter((i) => i >= 0 && i < n);
    covered = covered.flatMap((at) => inside.map((i) => at * n + i));
  }
  return covered;
}

/** The first of the largest numbers. */
const firstLargest = (data: Float64Array, covered: readonly number[]): number =>
  covered.reduce((best, at) => (data[at]! > data[best]! ? at : best));

const divisor = ({ kernel, countIncludePad }: AveragePoolAttrs, covered: readonly number[]): number =>
  countIncludePad ? sizeOf(kernel) : covered.length;

export const poolInterpreters: InterpreterRules<keyof PoolOps> = {
  MaxPool: ([x], attrs, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    visitWindows(x!.shape, shape!, attrs, (window, covered) => {
      y[window] = x!.data[firstLargest(x!.data, covered)]!;
    });
    return [y];
  },
  MaxPoolGrad: ([dy, x], attrs) => {
    const dx = new Float64Array(x!.data.length);
    visitWindows(x!.shape, dy!.shape, attrs, (window, covered) => {
      dx[firstLargest(x!.data, covered)]! += dy!.data[window]!;
    });
    return [dx];
  },
  AveragePool: ([x], attrs, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    visitWindows(x!.shape, shape!, attrs, (window, covered) => {
      for (const at of covered) y[window]! += x!.data[at]! / divisor(attrs, covered);
    });
    return [y];
  },
  AveragePoolGrad: ([dy], attrs, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    visitWindows(shape!, dy!.shape, attrs, (window, covered) => {
      for (const at of covered) dx[at]! += dy!.data[window]! / divisor(attrs, covered);
    });
    return [dx];
  },
  GlobalAveragePool: ([x], _, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    const size = x!.data.length / y.length;
    for (const [i, value] of x!.data.entries()) y[Math.floor(i / size)]! += value / size;
    return [y];
  },
};
