import { sizeOf } from '../../tensor/tensor';
import type { ConvOps } from '../ops/conv';
import type { InterpreterRules } from './rule';
import { visitConv } from './visit-conv';

export const convInterpreters: InterpreterRules<keyof ConvOps> = {
  Conv: ([x, w], attrs, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    visitConv(x!.shape, w!.shape, shape!, attrs, (xStart, xStep, wIndex, yStart, count) => {
      const weight = w!.data[wIndex]!;
      for (let j = 0; j < count; j++) y[yStart + j]! += weight * x!.data[xStart + j * xStep]!;
    });
    return [y];
  },
  ConvInputGrad: ([dy, w], attrs, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    visitConv(shape!, w!.shape, dy!.shape, attrs, (xStart, xStep, wIndex, yStart, count) => {
      const weight = w!.data[wIndex]!;
      for (let j = 0; j < count; j++) dx[xStart + j * xStep]! += weight * dy!.data[yStart + j]!;
    });
    return [dx];
  },
  ConvWeightGrad: ([x, dy], attrs, [shape]) => {
    const dw = new Float64Array(sizeOf(shape!));
    visitConv(x!.shape, shape!, dy!.shape, attrs, (xStart, xStep, wIndex, yStart, count) => {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += dy!.data[yStart + j]! * x!.data[xStart + j * xStep]!;
      dw[wIndex]! += sum;
    });
    return [dw];
  },
};
