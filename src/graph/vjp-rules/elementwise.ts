import type { ElementwiseOps } from '../ops/elementwise';
import type { VjpRules } from './rule';

export const elementwiseVjps: VjpRules<keyof ElementwiseOps> = {
  Add: (b, g, { inputs: [x, y] }) => [b.unbroadcast(g, x!.shape), b.unbroadcast(g, y!.shape)],
  Sub: (b, g, { inputs: [x, y] }) => [b.unbroadcast(g, x!.shape), b.unbroadcast(b.neg(g), y!.shape)],
  Mul: (b, g, { inputs: [x, y] }) => [b.unbroadcast(b.mul(g, y!), x!.shape), b.unbroadcast(b.mul(g, x!), y!.shape)],
  // d(x/y) = dx/y − (x/y)·dy/y
  Div: (b, g, { inputs: [x, y], outputs: [quotient] }) => {
    const dx = b.div(g, y!);
    return [b.unbroadcast(dx, x!.shape), b.unbroadcast(b.neg(b.mul(dx, quotient!)), y!.shape)];
  },
  Neg: (b, g) => [b.neg(g)],
  // d√x = dx / (2√x)
  Sqrt: (b, g, { outputs: [root] }) => [b.div(b.scale(g, 0.5), root!)],
  // dσ = σ(1 − σ)·dx
  Sigmoid: (b, g, { outputs: [s] }) => [b.mul(g, b.mul(s!, b.sub(b.scalar(1), s!)))],
  Relu: (b, g, { outputs: [y] }) => [b.emit('ReluGrad', [g, y!], {})],
  // Linear in its first input; the mask's derivative is zero almost everywhere.
  ReluGrad: (b, g, { inputs: [, y] }) => [b.emit('ReluGrad', [g, y!], {}), undefined],
};
