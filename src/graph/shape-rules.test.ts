import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toOnnx } from '../onnx/export';
import { openSession } from '../onnx/session';
import { type Shape, sizeOf } from '../tensor/tensor';
import { Builder } from './builder';
import type { Graph } from './graph';
import { interpret } from './interpret';
import type { Op, Ops } from './ops';
import { shapeRules } from './shape-rules';
import { broadcastShapes } from './shape-rules/rule';

/** A call of an operator that its rule accepts. */
interface Call {
  readonly op: Op;
  readonly inputs: readonly Shape[];
  readonly attrs: Ops[Op];
}

const call = <K extends Op>(op: K, inputs: readonly Shape[], attrs: Ops[K]): Call => ({ op, inputs, attrs });

const shape = (minLength = 0): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength: 4 });

/** Two shapes that broadcast: some axes of each become 1, and leading ones of one may go. */
const broadcasting = fc
  .tuple(shape(), fc.array(fc.constantFrom('both', 'first', 'second'), { minLength: 4, maxLength: 4 }), fc.nat(4))
  .map(([full, ones, gone]): readonly [Shape, Shape] => [
    full.map((n, i) => (ones[i] === 'first' ? 1 : n)),
    full.map((n, i) => (ones[i] === 'second' ? 1 : n)).slice(gone),
  ]);

const axisOf = (x: Shape): fc.Arbitrary<number> => fc.nat(x.length - 1);

const elementwise = broadcasting.chain((inputs) =>
  fc.constantFrom('Add', 'Mul', 'Maximum', 'Greater').map((op) => call(op as 'Add', inputs, {})),
);

const reductions = shape().chain((x) =>
  fc
    .tuple(fc.subarray(x.map((_, i) => i)), fc.constantFrom('ReduceSum', 'ReduceMax'))
    .map(([axes, op]) => call(op as 'ReduceSum', [x], { axes })),
);

const slices = shape().chain((x) =>
  fc
    .array(fc.tuple(fc.nat(3), fc.nat(3), fc.integer({ min: 1, max: 3 })), { minLength: 4, maxLength: 4 })
    .map((cuts) => {
      const start = x.map((n, i) => cuts[i]![0] % n);
      const end = x.map((n, i) => start[i]! + 1 + (cuts[i]![1] % (n - start[i]!)));
      return call('Slice', [x], { start, end, step: x.map((_, i) => cuts[i]![2]) });
    }),
);

const pads = shape(1).chain((x) =>
  fc
    .tuple(
      fc.constantFrom('zero' as const, 'reflect' as const, 'edge' as const),
      fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }),
    )
    .map(([mode, margins]) => {
      const margin = (n: number, wish: number): number => (mode === 'reflect' ? wish % n : wish);
      const begin = x.map((n, i) => margin(n, margins[i]!));
      return call('Pad', [x], { mode, begin, end: x.map((n, i) => margin(n, margins[4 + i]!)) });
    }),
);

const concats = shape(1).chain((x) =>
  fc.tuple(axisOf(x), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })).map(([axis, lengths]) =>
    call(
      'Concat',
      lengths.map((n) => x.with(axis, n)),
      { axis },
    ),
  ),
);

const products = fc
  .tuple(broadcasting, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .map(([[a, b], rows, terms, columns]) =>
    call(
      'MatMul',
      [
        [...a.slice(0, 2), rows, terms],
        [...b.slice(0, 2), terms, columns],
      ],
      {},
    ),
  )
  .filter(({ inputs: [a, b] }) => broadcasts(a!.slice(0, -2), b!.slice(0, -2)));

const softmaxes = shape(1).chain((x) => axisOf(x).map((axis) => call('Softmax', [x], { axis })));

const gathers = shape(1).chain((x) =>
  fc.tuple(axisOf(x), shape()).map(([axis, indices]) => call('Gather', [x, indices.slice(0, 2)], { axis })),
);

const calls = fc.oneof(elementwise, reductions, slices, pads, concats, products, softmaxes, gathers);

function broadcasts(a: Shape, b: Shape): boolean {
  try {
    broadcastShapes(a, b);
    return true;
  } catch {
    return false;
  }
}

/** The call as a graph with the output `y`. */
function graphOf({ op, inputs, attrs }: Call): Graph {
  const b = new Builder();
  const values = inputs.map((x, i) => b.input(`x${i}`, x));
  b.output('y', b.emit(op, values, attrs));
  return b.build();
}

describe('shape rules', () => {
  it('say the shape that the interpreter and the runtime give', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (example) => {
        const graph = graphOf(example);
        const expected = shapeRules[example.op](example.inputs, example.attrs as never)[0]!;
        // Zeros are valid indices too.
        const zeros = [...graph.inputs].map(([name, value]) => [name, new Float32Array(sizeOf(value.shape))] as const);
        expect(interpret(graph, new Map(zeros)).get('y')!.length).toBe(sizeOf(expected));
        const session = await openSession(toOnnx(graph), { threads: 1 });
        const feeds = zeros.map(([name, data]) => [name, { shape: graph.inputs.get(name)!.shape, data }] as const);
        expect((await session.run(new Map(feeds))).get('y')!.length).toBe(sizeOf(expected));
      }),
      { numRuns: 150 },
    );
  });

  it('broadcast alike in either order, with a shape that both sides stretch to', () => {
    fc.assert(
      fc.property(broadcasting, ([a, b]) => {
        const both = broadcastShapes(a, b);
        expect(broadcastShapes(b, a)).toEqual(both);
        expect(broadcastShapes(a, both)).toEqual(both);
        expect(broadcastShapes(both, both)).toEqual(both);
        expect(broadcastShapes(a, [])).toEqual(a);
      }),
    );
  });

  it('broadcast in groups as they like', () => {
    fc.assert(
      fc.property(broadcasting, shape(), ([a, b], c) => {
        fc.pre(broadcasts(broadcastShapes(a, b), c));
        expect(broadcastShapes(broadcastShapes(a, b), c)).toEqual(broadcastShapes(a, broadcastShapes(b, c)));
      }),
    );
  });

  it.each<readonly [Op, string, Call]>([
    [
      'Add',
      '[2,3], [2,4]',
      call(
        'Add',
        [
          [2, 3],
          [2, 4],
        ],
        {},
      ),
    ],
    ['Where', '[3], [2]', call('Where', [[3], [2], []], {})],
    [
      'PRelu',
      '[2,3], [4,1]',
      call(
        'PRelu',
        [
          [2, 3],
          [4, 1],
        ],
        {},
      ),
    ],
    ['Clip', 'lower bound 1', call('Clip', [[2]], { min: 1, max: 0 })],
    ['LeakyReluGrad', '[2], [3]', call('LeakyReluGrad', [[2], [3]], { alpha: 0.1 })],
    ['ReduceMax', 'axes [-1] must be', call('ReduceMax', [[2, 3]], { axes: [-1] })],
    ['Softmax', 'axes [2] must be', call('Softmax', [[2, 3]], { axis: 2 })],
    ['LogSoftmax', 'axes [-1] must be', call('LogSoftmax', [[2, 3]], { axis: -1 })],
    [
      'Concat',
      'but those of axis 1',
      call(
        'Concat',
        [
          [2, 3],
          [3, 3],
        ],
        { axis: 1 },
      ),
    ],
    ['Concat', 'at least one input', call('Concat', [], { axis: 0 })],
    ['Slice', 'a number for each axis', call('Slice', [[4, 4]], { start: [0], end: [1], step: [1] })],
    ['Slice', 'not empty', call('Slice', [[4]], { start: [2], end: [2], step: [1] })],
    ['Slice', 'not empty', call('Slice', [[4]], { start: [-2], end: [4], step: [1] })],
    ['Slice', 'whole and positive', call('Slice', [[4]], { start: [0], end: [4], step: [-1] })],
    ['SliceGrad', 'must be [2]', call('SliceGrad', [[3]], { start: [0], end: [4], step: [2], shape: [4] })],
    ['Pad', 'a count for each axis', call('Pad', [[4]], { mode: 'zero', begin: [-1], end: [0] })],
    ['Pad', 'shorter than the axis', call('Pad', [[4]], { mode: 'reflect', begin: [4], end: [0] })],
    ['PadGrad', 'leave something', call('PadGrad', [[4]], { mode: 'edge', begin: [2], end: [2] })],
    ['Gather', 'axes [2] must be', call('Gather', [[2, 3], [4]], { axis: 2 })],
    ['PixelShuffle', 'multiple of 8', call('PixelShuffle', [[1, 12, 2, 2, 2]], { block: 2 })],
    ['PixelShuffle', 'need images', call('PixelShuffle', [[1, 12]], { block: 2 })],
    ['PixelShuffleGrad', 'multiples of 2', call('PixelShuffleGrad', [[1, 2, 4, 3]], { block: 2 })],
    ['GatherGrad', '[5,3], [4]', call('GatherGrad', [[5, 3], [4]], { axis: 0, length: 2 })],
    [
      'MatMul',
      '[2,3], [4,5]',
      call(
        'MatMul',
        [
          [2, 3],
          [4, 5],
        ],
        {},
      ),
    ],
    ['MatMul', 'at least two axes', call('MatMul', [[3], [3, 5]], {})],
  ])('name %s, the rule and the shapes: %s', (op, part, { inputs, attrs }) => {
    const check = (): unknown => shapeRules[op](inputs, attrs as never);
    expect(check).toThrow(`${op}: `);
    expect(check).toThrow(part);
    for (const input of inputs.slice(0, 1)) expect(check).toThrow(`[${input}]`);
  });
});
