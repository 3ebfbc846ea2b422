import { describe, expect, it } from 'vitest';
import { toOnnx } from '../onnx/export';
import { openSession } from '../onnx/session';
import { Builder } from './builder';
import * as f from './functions';
import type { Value } from './graph';
import { interpret } from './interpret';

/** The numbers of an expression of x. */
function evaluate(x: readonly number[], shape: readonly number[], write: (b: Builder, x: Value) => Value): number[] {
  const b = new Builder();
  b.output('y', write(b, b.input('x', shape)));
  return [...interpret(b.build(), new Map([['x', x]])).get('y')!];
}

describe('functions on a builder', () => {
  it('take means, maxima and minima over all axes unless told otherwise', () => {
    const x = [1, 2, 3, 6];
    expect(evaluate(x, [2, 2], (b, v) => f.reduceMean(b, v))).toEqual([3]);
    expect(evaluate(x, [2, 2], (b, v) => f.reduceMean(b, v, [0]))).toEqual([2, 4]);
    expect(evaluate(x, [2, 2], (b, v) => f.reduceMax(b, v, [1]))).toEqual([2, 6]);
    expect(evaluate(x, [2, 2], (b, v) => f.reduceMin(b, v))).toEqual([1]);
    expect(evaluate([5], [], (b, v) => b.add(f.reduceMean(b, v), f.reduceMax(b, v)))).toEqual([10]);
  });

  it('compare in all four orders', () => {
    const at = [1, 2, 3];
    const two = (b: Builder): Value => b.scalar(2);
    expect(evaluate(at, [3], (b, x) => f.less(b, x, two(b)))).toEqual([1, 0, 0]);
    expect(evaluate(at, [3], (b, x) => f.lessOrEqual(b, x, two(b)))).toEqual([1, 1, 0]);
    expect(evaluate(at, [3], (b, x) => f.greater(b, x, two(b)))).toEqual([0, 0, 1]);
    expect(evaluate(at, [3], (b, x) => f.greaterOrEqual(b, x, two(b)))).toEqual([0, 1, 1]);
  });

  it('write one class a channel, and nothing for classes that do not exist', () => {
    expect(evaluate([0, 2, 7], [1, 3], (b, x) => f.oneHot(b, x, 3))).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 0]);
  });

  it('split into parts that concat puts together again, and refuse parts that do not fill the axis', () => {
    const x = [1, 2, 3, 4, 5, 6];
    expect(evaluate(x, [2, 3], (b, v) => f.concat(b, f.split(b, v, [1, 2])))).toEqual(x);
    expect(() => evaluate(x, [2, 3], (b, v) => f.split(b, v, [1, 1])[0]!)).toThrow(
      /\[1,1\] do not fill axis 1 of \[2,3\]/,
    );
  });

  it('keep attributes apart that JSON writes alike', () => {
    const b = new Builder();
    const constant = (value: number): Value => b.emit('Constant', [], { shape: [], values: [value] });
    const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0, -0];
    for (const value of values) b.output(`${Object.is(value, -0) ? '-0' : value}`, constant(value));
    expect([...interpret(b.build(), new Map()).values()].map(([value]) => value)).toEqual(values);
  });
});

describe('gather', () => {
  const b = new Builder();
  b.output('y', f.gather(b, b.input('x', [3]), b.input('i', [2])));
  const graph = b.build();
  const x = Float32Array.of(5, 6, 7);

  it.each([[[0, 3]], [[-1, 0]]])(
    'refuses indices outside the axis, in the interpreter and in the runtime: %s',
    async (indices) => {
      const feeds = new Map([
        ['x', x],
        ['i', Float32Array.from(indices)],
      ]);
      expect(() => interpret(graph, feeds)).toThrow(/is not a whole number from 0 to 2/);
      const session = await openSession(toOnnx(graph), { threads: 1 });
      const running = session.run(
        new Map([...feeds].map(([name, data]) => [name, { shape: [data.length], data }] as const)),
      );
      await expect(running).rejects.toMatchObject({ tag: 'EngineError', message: expect.stringMatching(/out of/) });
    },
  );
});
