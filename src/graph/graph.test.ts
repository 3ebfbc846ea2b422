import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors';
import { Builder } from './builder';
import { differentiate } from './differentiate';
import type { Graph } from './graph';
import { interpret } from './interpret';
import { graphToString } from './print';
import { verify } from './verify';

/** A linear model with a squared loss, and the gradient of its weights. */
function leastSquares(): Graph {
  const b = new Builder();
  const x = b.input('x', [1, 3]);
  const w = b.parameter('w', [1, 3]);
  const residual = b.sub(b.sumProduct(x, w), b.input('y', [1, 1]));
  const loss = b.mul(residual, residual);
  b.output('loss', loss);
  b.output('dw', differentiate(b, loss, [w])[0]!);
  return b.build();
}

describe('a graph', () => {
  it('holds the backward pass beside the forward pass, each value computed once', () => {
    expect(graphToString(leastSquares())).toMatchInlineSnapshot(`
      "input x = %0: f32[1,3]
      input y = %3: f32[1,1]
      parameter w = %1: f32[1,3]
      %2: f32[1,1] = SumProduct(%0, %1) axes=[0,1]
      %4: f32[1,1] = Sub(%2, %3)
      %5: f32[1,1] = Mul(%4, %4)
      %6: f32[1,1] = Constant() shape=[1,1] values=[1]
      %7: f32[1,1] = Mul(%6, %4)
      %9: f32[1,1] = Add(%7, %7)
      %12: f32[1,3] = Mul(%9, %0)
      output loss = %5
      output dw = %12"
    `);
  });

  it('computes the gradient that calculus gives', () => {
    const feeds = new Map([
      ['x', [1, 2, 3]],
      ['y', [4]],
      ['w', [1, 1, 1]],
    ]);
    const results = interpret(leastSquares(), feeds);
    expect([...results.get('loss')!]).toEqual([4]);
    expect([...results.get('dw')!]).toEqual([4, 8, 12]);
  });

  it('gives zeros as the gradient of what the loss does not depend on', () => {
    const b = new Builder();
    const [used, unused] = [b.parameter('used', [2]), b.parameter('unused', [3])];
    b.output('d', differentiate(b, b.reduceSum(used), [unused])[0]!);
    expect([
      ...interpret(
        b.build(),
        new Map([
          ['used', [1, 2]],
          ['unused', [1, 2, 3]],
        ]),
      ).get('d')!,
    ]).toEqual([0, 0, 0]);
  });

  it('refuses a loss of several elements, and a second derivative where there is no rule', () => {
    const b = new Builder();
    const x = b.input('x', [1, 2, 4]);
    expect(() => differentiate(b, x, [x])).toThrow(/one element/);
    const affine = b.input('affine', [2]);
    const y = b.emit('GroupNorm', [x, affine, affine], { groups: 1, epsilon: 1e-5 });
    const [dx] = differentiate(b, b.sumProduct(y, y), [x]);
    expect(() => differentiate(b, b.reduceSum(dx!), [x])).toThrow(/GroupNormGrad cannot be differentiated/);
  });

  it('names the operator, the rule and both shapes when shapes do not fit', () => {
    const b = new Builder();
    const [x, w] = [b.input('x', [1, 4, 8, 8]), b.input('w', [2, 3, 3, 3])];
    expect(() => b.conv(x, w, { stride: [1, 1], padding: [1, 1] })).toThrow(
      'Conv: the weight must have as many input channels (axis 1) as the input, but the inputs have shapes [1,4,8,8], [2,3,3,3].',
    );
    expect(() => b.add(x, w)).toThrow(/lengths must be equal or 1/);
    expect(() => b.reshape(x, [7])).toThrow(/size must stay the same/);
  });

  it('says which layer wrote a node, and names it when shapes do not fit', () => {
    const b = new Builder();
    const x = b.input('x', [2]);
    const y = b.inLayer('stem', () => b.inLayer('stem.act', () => b.relu(x)));
    b.output('dx', differentiate(b, b.reduceSum(y), [x])[0]!);
    const lines = graphToString(b.build()).split('\n');
    expect(lines.filter((line) => line.endsWith('  # stem.act')).map((line) => line.replace(/.*= |\(.*/g, ''))).toEqual(
      ['Relu', 'ReluGrad'],
    );
    expect(() => b.inLayer('head.0', () => b.add(x, b.input('z', [3])))).toThrow(
      "Layer 'head.0': Add: lengths must be equal or 1 along each axis, but the inputs have shapes [2], [3].",
    );
  });

  it('refuses lengths that are no whole numbers', () => {
    const b = new Builder();
    expect(() => b.input('x', [2, -5])).toThrow("'x' must have lengths that are whole numbers from 0, not [2,-5].");
    expect(() => b.parameter('w', [1.5])).toThrow(ShapeError);
  });

  it('refuses names that are taken and feeds that are missing or of the wrong size', () => {
    const b = new Builder();
    const x = b.input('x', [2]);
    expect(() => b.parameter('x', [2])).toThrow(/already/);
    b.output('y', b.neg(x));
    expect(() => b.output('y', x)).toThrow(/already/);
    expect(() => interpret(b.build(), new Map())).toThrow(/'x' needs 2 numbers/);
    expect(() => interpret(b.build(), new Map([['x', [1]]]))).toThrow(/1 numbers came/);
  });
});

describe('verify', () => {
  it('accepts what the builder and differentiation write', () => {
    verify(leastSquares());
  });

  it('finds a value that is read before it is written, and one with the wrong shape', () => {
    const graph = leastSquares();
    expect(() => verify({ ...graph, nodes: [...graph.nodes].reverse() })).toThrow(/reads %\d+, which nothing/);
    expect(() => verify({ ...graph, nodes: [...graph.nodes, graph.nodes[0]!] })).toThrow(/written a second time/);
    const [first, ...rest] = graph.nodes;
    const bent = { ...first!, outputs: [{ ...first!.outputs[0]!, shape: [9] }] };
    expect(() => verify({ ...graph, nodes: [bent as typeof first & object, ...rest] })).toThrow(/shapes of its rule/);
  });
});
