/**
 * Element-wise functions: see `ops/elementwise` for what each computes.
 *
 * @module
 */
import type { Builder } from '../builder';
import type { Value } from '../graph';

export const abs = (b: Builder, x: Value): Value => b.emit('Abs', [x], {});

/** −1, 0 or 1. */
export const sign = (b: Builder, x: Value): Value => b.emit('Sign', [x], {});

export const exp = (b: Builder, x: Value): Value => b.emit('Exp', [x], {});

/** The natural logarithm. */
export const log = (b: Builder, x: Value): Value => b.emit('Log', [x], {});

export const tanh = (b: Builder, x: Value): Value => b.emit('Tanh', [x], {});

/** ln(1 + eˣ). */
export const softplus = (b: Builder, x: Value): Value => b.emit('Softplus', [x], {});

export const square = (b: Builder, x: Value): Value => b.mul(x, x);

/** xʸ. */
export const pow = (b: Builder, x: Value, y: Value): Value => b.emit('Pow', [x, y], {});

/** x where x > 0, else alpha·x. PyTorch's default slope is 0.01. */
export const leakyRelu = (b: Builder, x: Value, alpha = 0.01): Value => b.emit('LeakyRelu', [x], { alpha });

/**
 * x `[N, C, ...]` where x > 0, else slope·x.
 *
 * @param slope `[C]`, or `[1]` for all channels, as in PyTorch
 */
export function pRelu(b: Builder, x: Value, slope: Value): Value {
  const perChannel = [...slope.shape, ...x.shape.slice(2).map(() => 1)];
  return b.emit('PRelu', [x, b.reshape(slope, perChannel)], {});
}

/** x·σ(x) (Hendrycks & Gimpel 2016, arXiv:1606.08415), also called Swish. */
export const silu = (b: Builder, x: Value): Value => b.mul(x, b.sigmoid(x));

/** x·tanh(ln(1 + eˣ)) (Misra 2019, arXiv:1908.08681). */
export const mish = (b: Builder, x: Value): Value => b.mul(x, tanh(b, softplus(b, x)));

/** x where x > 0, else eˣ − 1 (Clevert et al. 2015, arXiv:1511.07289); its derivative at 0 is 1, as PyTorch's. */
export function elu(b: Builder, x: Value): Value {
  const positive = b.relu(x);
  return b.add(positive, b.sub(exp(b, b.sub(x, positive)), b.scalar(1)));
}

/** x within [min, max]; no bound where one is omitted. */
export function clip(b: Builder, x: Value, bounds: { readonly min?: number; readonly max?: number }): Value {
  const { min = -Infinity, max = Infinity } = bounds;
  return b.emit('Clip', [x], { min, max });
}

/** The larger of two. */
export const maximum = (b: Builder, x: Value, y: Value): Value => b.emit('Maximum', [x, y], {});

/** The smaller of two. */
export const minimum = (b: Builder, x: Value, y: Value): Value => b.emit('Minimum', [x, y], {});

/** 1 where x > y, else 0. */
export const greater = (b: Builder, x: Value, y: Value): Value => b.emit('Greater', [x, y], {});

/** 1 where x ≥ y, else 0. */
export const greaterOrEqual = (b: Builder, x: Value, y: Value): Value => b.emit('GreaterOrEqual', [x, y], {});

/** 1 where x < y, else 0. */
export const less = (b: Builder, x: Value, y: Value): Value => greater(b, y, x);

/** 1 where x ≤ y, else 0. */
export const lessOrEqual = (b: Builder, x: Value, y: Value): Value => greaterOrEqual(b, y, x);

/** 1 where x = y, else 0. */
export const equal = (b: Builder, x: Value, y: Value): Value => b.emit('Equal', [x, y], {});

/** x where the condition is not 0, else y. */
export const where = (b: Builder, condition: Value, x: Value, y: Value): Value =>
  b.emit('Where', [condition, x, y], {});
