import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../errors';
import type { Shape } from '../../tensor/tensor';
import { Builder } from '../builder';
import { differentiate } from '../differentiate';
import type { Value } from '../graph';
import { convAttrs } from '../ops/conv';
import { shapeRules } from '../shape-rules';

/** Lists of one length between 1 and 3, one number per axis. */
function axes<K extends string>(of: Readonly<Record<K, fc.Arbitrary<number>>>): fc.Arbitrary<Record<K, number[]>> {
  return fc.integer({ min: 1, max: 3 }).chain((rank) => {
    const list = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: rank, maxLength: rank });
    const lists = Object.entries<fc.Arbitrary<number>>(of).map(([key, value]) => [key, list(value)] as const);
    return fc.record(Object.fromEntries(lists)) as fc.Arbitrary<Record<K, number[]>>;
  });
}

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

/** How many places of a window lie inside the padded axis, counted one by one. */
function places(n: number, kernel: number, stride: number, padding: number, dilation: number): number {
  let count = 0;
  for (let start = -padding; start + dilation * (kernel - 1) < n + padding; start += stride) count++;
  return count;
}

/** The shape that `write` gives; undefined where it throws a ShapeError. */
function shapeOf(write: () => Shape): Shape | undefined {
  try {
    return write();
  } catch (error) {
    expect(error).toBeInstanceOf(ShapeError);
    return undefined;
  }
}

/** Gradients have the shapes of what they belong to, all the way through the rules of the adjoints. */
function expectGradients(write: (b: Builder, x: Value) => Value, x: Shape): void {
  const b = new Builder();
  const input = b.input('x', x);
  const y = write(b, input);
  expect(differentiate(b, b.sumProduct(y, b.input('g', y.shape)), [input])[0]!.shape).toEqual(x);
}

describe('the shape rules of windows', () => {
  it('of a convolution count its windows, and its gradients fit', () => {
    const windows = axes({ n: upTo(9), kernel: upTo(4), stride: upTo(3), padding: upTo(3, 0), dilation: upTo(3) });
    const channels = fc.record({ groups: upTo(3), ins: upTo(2), outs: upTo(2) });
    fc.assert(
      fc.property(windows, channels, ({ n, kernel, ...rest }, { groups, ins, outs }) => {
        const [x, w] = [
          [2, ins * groups, ...n],
          [outs * groups, ins, ...kernel],
        ];
        const attrs = convAttrs({ ...rest, groups });
        const counted = n.map((length, i) => {
          return places(length, kernel[i]!, rest.stride[i]!, rest.padding[i]!, rest.dilation[i]!);
        });
        const shape = shapeOf(() => shapeRules.Conv([x, w], attrs)[0]!);
        expect(shape).toEqual(counted.every((count) => count > 0) ? [2, outs * groups, ...counted] : undefined);
        if (!shape) return;
        expectGradients((b, value) => b.conv(value, b.input('w', w), attrs), x);
        expect(shapeRules.ConvWeightGrad([x, shape], { ...attrs, kernel })).toEqual([w]);
      }),
    );
  });

  it('of a pooling count its windows, and its gradients fit', () => {
    const windows = axes({ n: upTo(9), kernel: upTo(4), stride: upTo(4), padding: upTo(2, 0) });
    fc.assert(
      fc.property(windows, fc.boolean(), ({ n, kernel, stride, padding }, countIncludePad) => {
        const x = [2, 3, ...n];
        const counted = n.map((length, i) => places(length, kernel[i]!, stride[i]!, padding[i]!, 1));
        const allowed = counted.every((count) => count > 0) && padding.every((p, i) => 2 * p <= kernel[i]!);
        const attrs = { kernel, stride, padding };
        const shape = shapeOf(() => shapeRules.MaxPool([x], attrs)[0]!);
        expect(shape).toEqual(allowed ? [2, 3, ...counted] : undefined);
        if (!shape) return;
        expectGradients((b, value) => b.emit('MaxPool', [value], attrs), x);
        expectGradients((b, value) => b.emit('AveragePool', [value], { ...attrs, countIncludePad }), x);
      }),
    );
  });

  it('refuses groups that do not divide the channels, and lists of another length than the axes', () => {
    const attrs = convAttrs({ stride: [1], padding: [0] });
    expect(() =>
      shapeRules.Conv(
        [
          [1, 4, 5],
          [6, 2, 3],
        ],
        { ...attrs, groups: 4 },
      ),
    ).toThrow(
      "Conv: groups (4) must divide the input's and the weight's channels, but the inputs have shapes [1,4,5], [6,2,3].",
    );
    expect(() =>
      shapeRules.Conv(
        [
          [1, 4, 5],
          [6, 4, 3],
        ],
        { ...attrs, dilation: [1, 1] },
      ),
    ).toThrow(/dilation \[1,1\] must give a whole number of at least 1 for each of 1 spatial axes/);
  });
});

describe('the shape rule of Resize', () => {
  it('gives the lengths that are asked for, and its gradient fits', () => {
    const grids = axes({ n: upTo(9), size: upTo(12), scale: fc.double({ min: 0.3, max: 3, noNaN: true }) });
    const modes = fc.constantFrom(['nearest', false] as const, ['linear', false] as const, ['linear', true] as const);
    fc.assert(
      fc.property(grids, modes, ({ n, size, scale }, [mode, alignCorners]) => {
        const x = [2, 3, ...n];
        expect(shapeRules.Resize([x], { mode, alignCorners, size })).toEqual([[2, 3, ...size]]);
        expectGradients((b, value) => b.emit('Resize', [value], { mode, alignCorners, size }), x);
        const scaled = n.map((length, i) => Math.floor(length * scale[i]!));
        const shape = shapeOf(() => shapeRules.Resize([x], { mode, alignCorners, scale })[0]!);
        expect(shape).toEqual(scaled.every((length) => length > 0) ? [2, 3, ...scaled] : undefined);
      }),
    );
  });
});
