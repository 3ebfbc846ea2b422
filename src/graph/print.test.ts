import { describe, expect, it } from 'vitest';
import { Builder } from './builder';
import { differentiate } from './differentiate';
import * as f from './functions';
import type { Value } from './graph';
import { graphToString } from './print';

/** An expression of x `[2,3]`, and the gradient of its sum by x. */
function derivativeOf(write: (b: Builder, x: Value) => Value): string {
  const b = new Builder();
  const x = b.parameter('x', [2, 3]);
  b.output('dx', differentiate(b, b.reduceSum(write(b, x)), [x])[0]!);
  return graphToString(b.build());
}

describe('graphToString', () => {
  it('shows that a leaky rectifier needs only its output for the gradient', () => {
    expect(derivativeOf((b, x) => f.leakyRelu(b, x, 0.2))).toMatchInlineSnapshot(`
      "parameter x = %0: f32[2,3]
      %1: f32[2,3] = LeakyRelu(%0) alpha=0.2
      %3: f32[1,1] = Constant() shape=[1,1] values=[1]
      %4: f32[2,3] = Expand(%3) shape=[2,3]
      %5: f32[2,3] = LeakyReluGrad(%4, %1) alpha=0.2
      output dx = %5"
    `);
  });

  it('shows that clipping passes the gradient where it changes nothing', () => {
    expect(derivativeOf((b, x) => f.clip(b, x, { min: 0 }))).toMatchInlineSnapshot(`
      "parameter x = %0: f32[2,3]
      %1: f32[2,3] = Clip(%0) min=0 max=Infinity
      %3: f32[1,1] = Constant() shape=[1,1] values=[1]
      %4: f32[2,3] = Expand(%3) shape=[2,3]
      %5: f32[2,3] = Equal(%0, %1)
      %6: f32[] = Constant() shape=[] values=[0]
      %7: f32[2,3] = Where(%5, %4, %6)
      output dx = %7"
    `);
  });

  it('shows that the parts of a split get the parts of the gradient', () => {
    const swapped = (b: Builder, x: Value): Value => {
      const [first, rest] = f.split(b, x, [1, 2]);
      return b.mul(f.concat(b, [rest!, first!]), b.input('w', [2, 3]));
    };
    expect(derivativeOf(swapped)).toMatchInlineSnapshot(`
      "input w = %4: f32[2,3]
      parameter x = %0: f32[2,3]
      %7: f32[1,1] = Constant() shape=[1,1] values=[1]
      %8: f32[2,3] = Expand(%7) shape=[2,3]
      %9: f32[2,3] = Mul(%8, %4)
      %11: f32[2,2] = Slice(%9) start=[0,0] end=[2,2] step=[1,1]
      %12: f32[2,1] = Slice(%9) start=[0,2] end=[2,3] step=[1,1]
      %13: f32[2,3] = SliceGrad(%11) start=[0,1] end=[2,3] step=[1,1] shape=[2,3]
      %14: f32[2,3] = SliceGrad(%12) start=[0,0] end=[2,1] step=[1,1] shape=[2,3]
      %15: f32[2,3] = Add(%13, %14)
      output dx = %15"
    `);
  });

  it('shows a dense layer and the products of its gradient', () => {
    const b = new Builder();
    const [x, w] = [b.input('x', [8, 3]), b.parameter('w', [3, 5])];
    const y = f.matMul(b, x, w);
    b.output('dw', differentiate(b, b.sumProduct(y, y), [w])[0]!);
    expect(graphToString(b.build())).toMatchInlineSnapshot(`
      "input x = %0: f32[8,3]
      parameter w = %1: f32[3,5]
      %2: f32[8,5] = MatMul(%0, %1)
      %4: f32[1,1] = Constant() shape=[1,1] values=[1]
      %5: f32[8,5] = Mul(%4, %2)
      %7: f32[8,5] = Add(%5, %5)
      %10: f32[3,8] = Transpose(%0) order=[1,0]
      %11: f32[3,5] = MatMul(%10, %7)
      output dw = %11"
    `);
  });

  it('shows the cross-entropy of a classifier and its gradient', () => {
    const b = new Builder();
    const logits = b.parameter('logits', [4, 3]);
    const truth = f.oneHot(b, b.input('labels', [4]), 3);
    const loss = b.scale(b.sumProduct(truth, f.logSoftmax(b, logits)), -1 / 4);
    b.output('dlogits', differentiate(b, loss, [logits])[0]!);
    expect(graphToString(b.build())).toMatchInlineSnapshot(`
      "input labels = %1: f32[4]
      parameter logits = %0: f32[4,3]
      %2: f32[1,3] = Constant() shape=[1,3] values=[0,1,2]
      %3: f32[4,1] = Reshape(%1) shape=[4,1]
      %4: f32[4,3] = Equal(%3, %2)
      %5: f32[4,3] = LogSoftmax(%0) axis=1
      %7: f32[] = Constant() shape=[] values=[-0.25]
      %9: f32[1,1] = Constant() shape=[1,1] values=[1]
      %10: f32[1,1] = Mul(%9, %7)
      %15: f32[4,3] = Mul(%10, %4)
      %16: f32[4,3] = Exp(%5)
      %17: f32[4,1] = ReduceSum(%15) axes=[1]
      %18: f32[4,3] = Mul(%16, %17)
      %19: f32[4,3] = Sub(%15, %18)
      output dlogits = %19"
    `);
  });
});
