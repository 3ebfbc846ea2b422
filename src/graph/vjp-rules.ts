/**
 * Reverse-mode derivatives. A rule writes the vector–Jacobian product of one node as graph: from the gradient `g` of the
 * node's first output to those of its inputs; `undefined` where an input's gradient is zero by definition.
 *
 * @module
 */
import type { Builder } from './builder';
import type { NodeOf, Value } from './graph';
import type { Op } from './ops';

type VjpRule<K extends Op> = (b: Builder, g: Value, node: NodeOf<K>) => readonly (Value | undefined)[];

/** Says that an operator has no derivative rule, and why. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

export const vjpRules: { readonly [K in Op]: VjpRule<K> | NotDifferentiable } = {
  Constant: () => [],

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

  ReduceSum: (b, g, { inputs: [x] }) => [b.expand(g, x!.shape)],
  SumProduct: (b, g, { inputs: [x, y] }) => [b.mul(g, y!), b.mul(g, x!)],
  Reshape: (b, g, { inputs: [x] }) => [b.reshape(g, x!.shape)],
  Expand: (b, g, { inputs: [x] }) => [b.unbroadcast(g, x!.shape)],
  Transpose: (b, g, { attrs: { order } }) => [
    b.transpose(
      g,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ],

  // The three convolutions are one trilinear form Σ dy·(x ⋆ w): each is the derivative of the others.
  Conv: (b, g, { inputs: [x, w], attrs: { stride, padding } }) => [
    b.emit('ConvInputGrad', [g, w!], { stride, padding, spatial: x!.shape.slice(2) }),
    b.emit('ConvWeightGrad', [x!, g], { stride, padding, kernel: w!.shape.slice(2) }),
  ],
  ConvInputGrad: (b, g, { inputs: [dy, w], attrs: { stride, padding } }) => [
    b.conv(g, w!, { stride, padding }),
    b.emit('ConvWeightGrad', [g, dy!], { stride, padding, kernel: w!.shape.slice(2) }),
  ],
  ConvWeightGrad: (b, g, { inputs: [x, dy], attrs: { stride, padding } }) => [
    b.emit('ConvInputGrad', [dy!, g], { stride, padding, spatial: x!.shape.slice(2) }),
    b.conv(x!, g, { stride, padding }),
  ],

  GroupNorm: (b, g, { inputs: [x, scale], outputs: [, mean, rstd], attrs: { groups } }) =>
    b.emitAll('GroupNormGrad', [g, x!, scale!, mean!, rstd!], { groups }),
  GroupNormGrad: { notDifferentiable: 'a gradient itself: nothing here differentiates twice' },

  UpsampleLinear: (b, g) => [b.emit('UpsampleLinearGrad', [g], {})],
  UpsampleLinearGrad: (b, g) => [b.emit('UpsampleLinear', [g], {})],
};
