import type { ElementwiseOps } from '../../graph/ops/elementwise';
import { elementwiseRules as rules } from '../rules/elementwise';
import { asFixed, type FreeRules } from './rule';

export const elementwiseFree: FreeRules<keyof ElementwiseOps> = {
  Add: asFixed(rules.Add),
  Sub: asFixed(rules.Sub),
  Mul: asFixed(rules.Mul),
  Div: asFixed(rules.Div),
  Pow: asFixed(rules.Pow),
  Maximum: asFixed(rules.Maximum),
  Minimum: asFixed(rules.Minimum),
  Greater: asFixed(rules.Greater),
  GreaterOrEqual: asFixed(rules.GreaterOrEqual),
  Equal: asFixed(rules.Equal),
  Where: asFixed(rules.Where),
  Neg: asFixed(rules.Neg),
  Abs: asFixed(rules.Abs),
  Sign: asFixed(rules.Sign),
  Exp: asFixed(rules.Exp),
  Log: asFixed(rules.Log),
  Sqrt: asFixed(rules.Sqrt),
  Tanh: asFixed(rules.Tanh),
  Sigmoid: asFixed(rules.Sigmoid),
  Softplus: asFixed(rules.Softplus),
  Relu: asFixed(rules.Relu),
  LeakyRelu: asFixed(rules.LeakyRelu),
  PRelu: asFixed(rules.PRelu),
  Clip: asFixed(rules.Clip),
};
