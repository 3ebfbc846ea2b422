import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { interpret } from '../../graph/interpret';
import { averagePool, globalAveragePool, maxPool } from './pool';

describe('pooling layers', () => {
  const image = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  it('take one number for all axes, and the kernel as stride', () => {
    const b = new Builder();
    const x = b.input('x', [1, 1, 3, 3]);
    b.output('max', maxPool(b, x, { kernel: 2 }));
    b.output('overlapping', maxPool(b, x, { kernel: 2, stride: 1 }));
    b.output('rows', averagePool(b, x, { kernel: [1, 3] }));
    b.output('padded', averagePool(b, x, { kernel: 3, padding: 1 }));
    b.output('inside', averagePool(b, x, { kernel: 3, padding: 1, countIncludePad: false }));
    b.output('global', globalAveragePool(b, x));
    const results = interpret(b.build(), new Map([['x', image]]));
    const numbers = (name: string): number[] => [...results.get(name)!].map((value) => Math.round(value * 1e9) / 1e9);
    expect(numbers('max')).toEqual([5]);
    expect(numbers('overlapping')).toEqual([5, 6, 8, 9]);
    expect(numbers('rows')).toEqual([2, 5, 8]);
    expect(numbers('padded')).toEqual([1.333333333]);
    expect(numbers('inside')).toEqual([3]);
    expect(numbers('global')).toEqual([5]);
  });

  it('refuse more padding than half the kernel, and a kernel beyond the input', () => {
    const b = new Builder();
    const x = b.input('x', [1, 1, 3, 3]);
    expect(() => maxPool(b, x, { kernel: 2, padding: 2 })).toThrow(
      'MaxPool: padding [2,2] must be at most half of the kernel [2,2], but the inputs have shapes [1,1,3,3].',
    );
    expect(() => averagePool(b, x, { kernel: 4 })).toThrow(/kernel \[4,4\] must not be larger than the padded input/);
    expect(() => averagePool(b, x, { kernel: [2] })).toThrow(/kernel \[2\] must give a whole number of at least 1/);
  });
});
