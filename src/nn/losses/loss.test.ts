import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fills, ofClasses } from '../../../test/support/loss-inputs';
import { relativeL2, statsError } from '../../../test/support/segresnet-golden';
import { Builder } from '../../graph/builder';
import { differentiate } from '../../graph/differentiate';
import type { Graph } from '../../graph/graph';
import { interpret } from '../../graph/interpret';
import { toOnnx } from '../../onnx/export';
import { openSession } from '../../onnx/session';
import { targetFor } from '../../onnx/target';
import type { Shape } from '../../tensor/tensor';
import { lsganLoss } from './distance';
import { type LossOptions, writeLossOf } from './loss';

interface Case {
  readonly shape: Shape;
  readonly prediction: keyof typeof fills;
  readonly label: keyof typeof fills;
  readonly options: LossOptions;
  readonly loss: number;
  readonly gradient: { readonly sum: number; readonly l2: number; readonly first8: readonly number[] };
}

function graphOf({ shape, label, options }: Case): Graph {
  const b = new Builder();
  const x = b.input('x', shape);
  const y = b.input('y', label === 'classes' ? ofClasses(shape) : shape);
  const loss = writeLossOf(b, x, y, options);
  b.output('loss', loss);
  b.output('dx', differentiate(b, loss, [x])[0]!);
  return b.build();
}

async function onRuntime(graph: Graph, feeds: ReadonlyMap<string, readonly number[]>, threads: number) {
  const session = await openSession(toOnnx(graph, await targetFor('cpu')), { threads });
  const inputs = [...graph.inputs].map(([name, { shape }]) => {
    return [name, { shape, data: Float32Array.from(feeds.get(name)!) }] as const;
  });
  return session.run(new Map(inputs));
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../../test/golden/losses.json'), 'utf8')) as {
  readonly cases: readonly Case[];
};

describe('a loss', () => {
  const titled = cases.map((example) => ({ title: JSON.stringify(example.options), example }));

  it.each(titled)(
    'and its gradient are those of PyTorch, in double and single precision: $title',
    async ({ example }) => {
      const { shape, prediction, label, loss, gradient } = example;
      const graph = graphOf(example);
      const feeds = new Map([
        ['x', fills[prediction](shape)],
        ['y', fills[label](shape)],
      ]);
      const f64 = interpret(graph, feeds);
      expect(Math.abs(f64.get('loss')![0]! - loss) / Math.max(1, Math.abs(loss))).toBeLessThan(1e-12);
      expect(statsError(f64.get('dx')!, gradient)).toBeLessThan(1e-10);
      for (const [i, value] of gradient.first8.entries()) {
        expect(Math.abs(f64.get('dx')![i]! - value) / gradient.l2).toBeLessThan(1e-12);
      }
      const f32 = await onRuntime(graph, feeds, 1);
      expect(Math.abs(f32.get('loss')![0]! - loss) / Math.max(1, Math.abs(loss))).toBeLessThan(5e-6);
      // That of probabilities divides by values near 0 and 1.
      const bound = example.options.kind === 'binary-cross-entropy' && example.options.logits === false ? 5e-5 : 1e-5;
      expect(statsError(f32.get('dx')!, gradient)).toBeLessThan(bound);
      expect(relativeL2(f32.get('dx')!, f64.get('dx')!)).toBeLessThan(bound);
      for (const threads of [2, 3]) expect(await onRuntime(graph, feeds, threads)).toEqual(f32);
    },
  );

  it('says which label and which options it needs', () => {
    const write = (prediction: Shape, label: Shape, options: LossOptions) => () => {
      const b = new Builder();
      writeLossOf(b, b.input('x', prediction), b.input('y', label), options);
    };
    expect(write([2, 3, 8], [2, 2, 8], { kind: 'cross-entropy' })).toThrow(/shape \[2,3,8\], but it is \[2,2,8\]/);
    expect(write([2, 3, 8], [2, 3, 8], { kind: 'cross-entropy', ignoreIndex: 0 })).toThrow(/class numbers/);
    expect(write([2, 3, 8], [2, 1, 8], { kind: 'cross-entropy', weight: [1, 2] })).toThrow(/3 weights/);
    expect(write([2, 3, 8], [2, 3, 8], { kind: 'dice', softmax: true, toOnehotY: true })).toThrow(
      /class numbers of shape \[2,1,8\]/,
    );
    expect(write([2, 1, 8], [2, 1, 8], { kind: 'dice', softmax: true })).toThrow(/neither softmax/);
    expect(write([2, 3, 8], [2, 3, 8], { kind: 'dice', softmax: true, sigmoid: true })).toThrow(/excludes softmax/);
    expect(write([1, 1, 8, 8], [1, 1, 8, 8], { kind: 'ssim' })).toThrow(/at least 11 voxels/);
    expect(write([1, 1, 8, 8], [1, 1, 8, 8], { kind: 'ssim', windowSize: 4 })).toThrow(/windowSize: must be odd/);
    expect(write([1, 1, 8], [1, 1, 8], { kind: 'focal' } as never)).toThrow(/kind/);
    expect(write([1, 2, 8], [1, 2, 8], { kind: 'dice', reduction: 'none' } as never)).toThrow(
      /reduction: must be mean or sum: none leaves many numbers/,
    );
  });

  it('of probabilities is finite, and so is its gradient, where a sigmoid saturates', async () => {
    const b = new Builder();
    const [z, y] = [b.input('z', [1, 1, 4]), b.input('y', [1, 1, 4])];
    const loss = writeLossOf(b, b.sigmoid(z), y, { kind: 'binary-cross-entropy', logits: false });
    b.output('loss', loss);
    b.output('dz', differentiate(b, loss, [z])[0]!);
    const feeds = new Map([
      ['z', [20, -120, 20, 0.5]],
      ['y', [1, 0, 0, 1]],
    ]);
    const results = await onRuntime(b.build(), feeds, 1);
    // PyTorch 2.13 in float32, where σ(20) is 1.
    expect(results.get('loss')![0]).toBeCloseTo(25.1185, 4);
    for (const [i, value] of [0, 0, 0, -0.0943852].entries()) expect(results.get('dz')![i]).toBeCloseTo(value, 6);
  });

  it('of probabilities has the derivative of PyTorch by the prediction at 0 and 1, and by the label one that is bounded', () => {
    const b = new Builder();
    const [p, y] = [b.input('p', [1, 1, 4]), b.input('y', [1, 1, 4])];
    const loss = writeLossOf(b, p, y, { kind: 'binary-cross-entropy', logits: false, reduction: 'sum' });
    const [dp, dy] = differentiate(b, loss, [p, y]);
    b.output('dp', dp!);
    b.output('dy', dy!);
    const feeds = new Map([
      ['p', [1, 0, 1, 0.25]],
      ['y', [1, 1, 0, 0.5]],
    ]);
    const results = interpret(b.build(), feeds);
    expect([...results.get('dp')!]).toEqual([0, -1e12, 1e12, -0.25 / 0.1875]);
    // PyTorch's by the label is infinite at 0 and 1; here it is that of the bounded logarithms.
    expect([...results.get('dy')!]).toEqual([-100, 100, -100, Math.log(0.75) - Math.log(0.25)]);
  });

  it('of soft labels by L1 norms vanishes where the prediction equals them', () => {
    const lossOf = (softLabel: boolean): number => {
      const b = new Builder();
      const [p, g] = [b.input('p', [1, 1, 3]), b.input('g', [1, 1, 3])];
      b.output('loss', writeLossOf(b, p, g, { kind: 'dice', softLabel }));
      const same = [0.25, 0.5, 0.75];
      const feeds = new Map([
        ['p', same],
        ['g', same],
      ]);
      return interpret(b.build(), feeds).get('loss')![0]!;
    };
    expect(lossOf(true)).toBeCloseTo(0, 12);
    expect(lossOf(false)).toBeGreaterThan(0.4);
  });

  it.each([
    ['cross entropy', { kind: 'cross-entropy' }],
    ['weighted cross entropy that ignores 9', { kind: 'cross-entropy', ignoreIndex: 9, weight: [1, 2, 3] }],
    ['Dice', { kind: 'dice', toOnehotY: true, softmax: true }],
  ] as const)('is not a number for a class number that is none of the classes: %s', async (_, options) => {
    const graph = graphOf({ shape: [1, 3, 2, 2], label: 'classes', options } as unknown as Case);
    const lossOf = async (labels: readonly number[]) => {
      const feeds = new Map([
        ['x', fills.logits([1, 3, 2, 2])],
        ['y', labels],
      ]);
      const loss = interpret(graph, feeds).get('loss')![0]!;
      const found = (await onRuntime(graph, feeds, 1)).get('loss')![0]!;
      if (Number.isFinite(loss)) expect(found).toBeCloseTo(loss, 6);
      else expect(found).toBeNaN();
      return loss;
    };
    for (const wrong of [3, -1, 255, 1.5]) expect(await lossOf([0, 1, wrong, 2])).toBeNaN();
    expect(await lossOf([0, 1, 2, 2])).toBeGreaterThan(0);
    if ('ignoreIndex' in options) {
      expect(await lossOf([0, 9, 9, 2])).toBeGreaterThan(0);
      expect(await lossOf([0, 9, 8, 2])).toBeNaN();
    }
  });

  it('of a student has no gradient in the teacher', () => {
    const b = new Builder();
    const [student, teacher] = [b.input('s', [1, 2, 3]), b.input('t', [1, 2, 3])];
    const loss = writeLossOf(b, student, teacher, { kind: 'distillation' });
    b.output('dt', differentiate(b, loss, [teacher])[0]!);
    const feeds = new Map([
      ['s', [1, 2, 3, 4, 5, 6]],
      ['t', [0, 1, 0, 1, 0, 1]],
    ]);
    expect([...interpret(b.build(), feeds).get('dt')!]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('of an adversary is the mean square distance to what the scores should be', () => {
    const b = new Builder();
    const scores = b.input('s', [1, 1, 4]);
    b.output('real', lsganLoss(b, scores, 1));
    b.output('fake', lsganLoss(b, scores, 0));
    const results = interpret(b.build(), new Map([['s', [0, 1, 2, -1]]]));
    expect([results.get('real')![0], results.get('fake')![0]]).toEqual([1.5, 1.5]);
  });
});
