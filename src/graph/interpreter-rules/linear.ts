import { sizeOf } from '../../tensor/tensor';
import type { LinearOps } from '../ops/linear';
import { broadcastStrides, type InterpreterRules, offsets } from './rule';

export const linearInterpreters: InterpreterRules<keyof LinearOps> = {
  MatMul: ([a, b], _, [shape]) => {
    const batch = shape!.slice(0, -2);
    const [rows, terms, columns] = [shape!.at(-2)!, a!.shape.at(-1)!, shape!.at(-1)!];
    const aStarts = offsets(batch, broadcastStrides(a!.shape.slice(0, -2), batch));
    const bStarts = offsets(batch, broadcastStrides(b!.shape.slice(0, -2), batch));
    const y = new Float64Array(sizeOf(shape!));
    for (let i = 0; i < y.length; i++) {
      const matrix = Math.floor(i / (rows * columns));
      const row = Math.floor(i / columns) % rows;
      const aStart = (aStarts[matrix]! * rows + row) * terms;
      const bStart = bStarts[matrix]! * terms * columns + (i % columns);
      for (let k = 0; k < terms; k++) y[i]! += a!.data[aStart + k]! * b!.data[bStart + k * columns]!;
    }
    return [y];
  },
};
