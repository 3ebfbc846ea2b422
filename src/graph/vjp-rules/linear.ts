import { matMul, swapLast } from '../functions/linear';
import type { LinearOps } from '../ops/linear';
import type { VjpRules } from './rule';

export const linearVjps: VjpRules<keyof LinearOps> = {
  // C = A·B: dA = dC·Bᵀ and dB = Aᵀ·dC, summed over the axes along which a factor was repeated.
  MatMul: (b, g, { inputs: [x, y] }) => [
    b.unbroadcast(matMul(b, g, swapLast(b, y!)), x!.shape),
    b.unbroadcast(matMul(b, swapLast(b, x!), g), y!.shape),
  ],
};
