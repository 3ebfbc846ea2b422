import type { NodeOf } from '../../graph/graph';
import type { ElementwiseOps } from '../../graph/ops/elementwise';
import { asNumber, compare, select } from '../lower-truth';
import type { OnnxWriter } from '../writer';
import { direct, type OnnxRules } from './rule';

function clip(w: OnnxWriter, { attrs: { min, max } }: NodeOf<'Clip'>, [x]: readonly string[]): readonly string[] {
  // A bound left out of the runtime's Clip is the largest finite number: infinities would be hidden.
  if (max === Infinity) return [w.node('Max', [x!, w.scalar(min)])];
  if (min === -Infinity) return [w.node('Min', [x!, w.scalar(max)])];
  return [w.node('Clip', [x!, w.scalar(min), w.scalar(max)])];
}

/** 1 where x > 0, else 0. */
function isPositive(w: OnnxWriter, x: string): string {
  return asNumber(w, w.node('Greater', [x, w.scalar(0)]));
}

/** 1 where x > 0, else alpha: exactly. */
function leakySlope(w: OnnxWriter, x: string, alpha: number): string {
  if (alpha >= 0 && alpha <= 1) return w.node('Max', [isPositive(w, x), w.scalar(alpha)]);
  return w.node('Where', [w.node('Greater', [x, w.scalar(0)]), w.scalar(1), w.scalar(alpha)]);
}

/** WebGPU has no Sign. */
function sign(w: OnnxWriter, _: unknown, [x]: readonly string[]): readonly string[] {
  if (w.target.device !== 'webgpu') return [w.node('Sign', [x!])];
  return [w.node('Sub', [isPositive(w, x!), asNumber(w, w.node('Less', [x!, w.scalar(0)]))])];
}

export const elementwiseRules: OnnxRules<keyof ElementwiseOps> = {
  Add: direct('Add'),
  Sub: direct('Sub'),
  Mul: direct('Mul'),
  Div: direct('Div'),
  Pow: direct('Pow'),
  Maximum: direct('Max'),
  Minimum: direct('Min'),
  Greater: compare('Greater'),
  GreaterOrEqual: compare('GreaterOrEqual'),
  Equal: compare('Equal'),
  Where: select,
  Neg: direct('Neg'),
  Abs: direct('Abs'),
  Sign: sign,
  Exp: direct('Exp'),
  Log: direct('Log'),
  Sqrt: direct('Sqrt'),
  Tanh: direct('Tanh'),
  Sigmoid: direct('Sigmoid'),
  Softplus: direct('Softplus'),
  Relu: direct('Relu'),
  // y is the output of a Relu, never negative: its sign is the mask.
  // As a product: the runtime's Where is three times slower and takes two hidden copies.
  ReluGrad: (w, _, [g, y]) => [w.node('Mul', [g!, isPositive(w, y!)])],
  LeakyRelu: (w, { attrs: { alpha } }, [x]) => [w.node('LeakyRelu', [x!], { alpha: { float: alpha } })],
  LeakyReluGrad: (w, { attrs: { alpha } }, [g, x]) => [w.node('Mul', [g!, leakySlope(w, x!, alpha)])],
  PRelu: direct('PRelu'),
  Clip: clip,
};
