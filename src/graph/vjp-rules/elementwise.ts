import type { Builder } from '../builder';
import { equal, greater, greaterOrEqual, log, minimum, pow, sign, where } from '../functions/elementwise';
import type { Value } from '../graph';
import type { ElementwiseOps } from '../ops/elementwise';
import type { VjpRules } from './rule';

/** What x gets of the gradient g of max(x, y): all where it is larger, half where both are equal. */
function largerShare(b: Builder, g: Value, x: Value, y: Value): Value {
  return b.mul(b.scale(g, 0.5), b.add(greaterOrEqual(b, x, y), greater(b, x, y)));
}

export const elementwiseVjps: VjpRules<keyof ElementwiseOps> = {
  Add: (b, g, { inputs: [x, y] }) => [b.unbroadcast(g, x!.shape), b.unbroadcast(g, y!.shape)],
  Sub: (b, g, { inputs: [x, y] }) => [b.unbroadcast(g, x!.shape), b.unbroadcast(b.neg(g), y!.shape)],
  Mul: (b, g, { inputs: [x, y] }) => [b.unbroadcast(b.mul(g, y!), x!.shape), b.unbroadcast(b.mul(g, x!), y!.shape)],
  // d(x/y) = dx/y − (x/y)·dy/y
  Div: (b, g, { inputs: [x, y], outputs: [quotient] }) => {
    const dx = b.div(g, y!);
    return [b.unbroadcast(dx, x!.shape), b.unbroadcast(b.neg(b.mul(dx, quotient!)), y!.shape)];
  },
  Pow: (b, g, { inputs: [x, y], outputs: [power] }) => {
    const [zero, one] = [b.scalar(0), b.scalar(1)];
    // A power of 0 is constant, also where x is 0 and x to the −1 infinite.
    const dx = where(b, y!, b.mul(g, b.mul(y!, pow(b, x!, b.sub(y!, one)))), zero);
    const flat = b.mul(equal(b, x!, zero), greaterOrEqual(b, y!, zero));
    const dy = where(b, flat, zero, b.mul(g, b.mul(power!, log(b, x!))));
    return [b.unbroadcast(dx, x!.shape), b.unbroadcast(dy, y!.shape)];
  },
  Maximum: (b, g, { inputs: [x, y] }) => [
    b.unbroadcast(largerShare(b, g, x!, y!), x!.shape),
    b.unbroadcast(largerShare(b, g, y!, x!), y!.shape),
  ],
  Minimum: (b, g, { inputs: [x, y] }) => [
    b.unbroadcast(largerShare(b, g, y!, x!), x!.shape),
    b.unbroadcast(largerShare(b, g, x!, y!), y!.shape),
  ],
  Greater: () => [],
  GreaterOrEqual: () => [],
  Equal: () => [],
  Where: (b, g, { inputs: [c, x, y] }) => {
    const zero = b.scalar(0);
    return [undefined, b.unbroadcast(where(b, c!, g, zero), x!.shape), b.unbroadcast(where(b, c!, zero, g), y!.shape)];
  },
  Neg: (b, g) => [b.neg(g)],
  Abs: (b, g, { inputs: [x] }) => [b.mul(g, sign(b, x!))],
  Sign: () => [],
  Exp: (b, g, { outputs: [y] }) => [b.mul(g, y!)],
  Log: (b, g, { inputs: [x] }) => [b.div(g, x!)],
  // d√x = dx / (2√x)
  Sqrt: (b, g, { outputs: [root] }) => [b.div(b.scale(g, 0.5), root!)],
  Tanh: (b, g, { outputs: [y] }) => [b.mul(g, b.sub(b.scalar(1), b.mul(y!, y!)))],
  // dσ = σ(1 − σ)·dx
  Sigmoid: (b, g, { outputs: [s] }) => [b.mul(g, b.mul(s!, b.sub(b.scalar(1), s!)))],
  Softplus: (b, g, { inputs: [x] }) => [b.mul(g, b.sigmoid(x!))],
  Relu: (b, g, { outputs: [y] }) => [b.emit('ReluGrad', [g, y!], {})],
  // Linear in its first input; the mask's derivative is zero almost everywhere.
  ReluGrad: (b, g, { inputs: [, y] }) => [b.emit('ReluGrad', [g, y!], {}), undefined],
  // Without a negative slope the output has the sign of the input, which then need not be kept.
  LeakyRelu: (b, g, { inputs: [x], outputs: [y], attrs: { alpha } }) => [
    b.emit('LeakyReluGrad', [g, alpha < 0 ? x! : y!], { alpha }),
  ],
  LeakyReluGrad: (b, g, { inputs: [, x], attrs }) => [b.emit('LeakyReluGrad', [g, x!], attrs), undefined],
  PRelu: (b, g, { inputs: [x, slope] }) => {
    const zero = b.scalar(0);
    const dSlope = b.mul(g, minimum(b, x!, zero));
    return [where(b, greater(b, x!, zero), g, b.mul(g, slope!)), b.unbroadcast(dSlope, slope!.shape)];
  },
  // Inside the bounds, and on them, clipping changes nothing.
  Clip: (b, g, { inputs: [x], outputs: [y] }) => [where(b, equal(b, x!, y!), g, b.scalar(0))],
};
