/**
 * The three convolutions in float64, plainly: one walk over all products of a convolution, three things done with them.
 *
 * @module
 */
import type { Shape } from '../../tensor/tensor';
import type { ConvAttrs } from '../ops/conv';

/** A run of products x[xStart + j·xStep] · w[wIndex] · dy[yStart + j], j < count. */
type VisitRow = (xStart: number, xStep: number, wIndex: number, yStart: number, count: number) => void;

/** Spatial lengths as three, with leading ones. */
const three = (lengths: readonly number[], fill: number): readonly [number, number, number] => {
  const padded = [...new Array<number>(3 - lengths.length).fill(fill), ...lengths];
  return [padded[0]!, padded[1]!, padded[2]!];
};

/** Visits every row of products of the convolution with input x, weight w and output y. */
export function visitConv(x: Shape, w: Shape, y: Shape, attrs: ConvAttrs, visit: VisitRow): void {
  const xs = three(x.slice(2), 1);
  const ks = three(w.slice(2), 1);
  const ys = three(y.slice(2), 1);
  const stride = three(attrs.stride, 1);
  const padding = three(attrs.padding, 0);
  const dilation = three(attrs.dilation, 1);
  const xSize = xs[0] * xs[1] * xs[2];
  const kSize = ks[0] * ks[1] * ks[2];
  const ySize = ys[0] * ys[1] * ys[2];
  const [batch, outs, ins] = [y[0]!, w[0]!, w[1]!];
  const channels = ins * attrs.groups;
  const taps = rowsPerTap(xs, ks, ys, { stride, padding, dilation });
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outs; o++) {
      const group = Math.floor((o * attrs.groups) / outs);
      for (let i = 0; i < ins; i++) {
        const xBase = (n * channels + group * ins + i) * xSize;
        const wBase = (o * ins + i) * kSize;
        const yBase = (n * outs + o) * ySize;
        for (const { tap, xStart, yStart, count } of taps) {
          visit(xBase + xStart, stride[2], wBase + tap, yBase + yStart, count);
        }
      }
    }
  }
}

interface Row {
  readonly tap: number;
  readonly xStart: number;
  readonly yStart: number;
  readonly count: number;
}

type Triple = readonly [number, number, number];

interface Windows {
  readonly stride: Triple;
  readonly padding: Triple;
  readonly dilation: Triple;
}

/** For every tap of the kernel, the rows of one channel's output that it touches inside the input. */
function rowsPerTap(xs: Triple, ks: Triple, ys: Triple, { stride, padding, dilation }: Windows): readonly Row[] {
  const rows: Row[] = [];
  for (let tap = 0; tap < ks[0] * ks[1] * ks[2]; tap++) {
    const offset = [
      Math.floor(tap / (ks[1] * ks[2])) * dilation[0] - padding[0],
      (Math.floor(tap / ks[2]) % ks[1]) * dilation[1] - padding[1],
      (tap % ks[2]) * dilation[2] - padding[2],
    ] as const;
    const first = Math.max(0, Math.ceil(-offset[2] / stride[2]));
    const end = Math.min(ys[2], Math.floor((xs[2] - 1 - offset[2]) / stride[2]) + 1);
    for (let d = 0; d < ys[0] && end > first; d++) {
      const xd = d * stride[0] + offset[0];
      for (let h = 0; h < ys[1] && xd >= 0 && xd < xs[0]; h++) {
        const xh = h * stride[1] + offset[1];
        if (xh < 0 || xh >= xs[1]) continue;
        const xStart = (xd * xs[1] + xh) * xs[2] + first * stride[2] + offset[2];
        rows.push({ tap, xStart, yStart: (d * ys[1] + h) * ys[2] + first, count: end - first });
      }
    }
  }
  return rows;
}
