import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fills, ofClasses } from '../../../test/support/loss-inputs';
import { statsError } from '../../../test/support/segresnet-golden';
import { Builder } from '../../graph/builder';
import { differentiate } from '../../graph/differentiate';
import { exp, tanh } from '../../graph/functions';
import { interpret } from '../../graph/interpret';
import { type Shape, sizeOf } from '../../tensor/tensor';
import { type Activation, type DiceLossOptions, writeDiceLoss } from './dice';
import { writeLossOf } from './loss';

interface DiceCase {
  readonly shape: Shape;
  readonly prediction: keyof typeof fills;
  readonly label: keyof typeof fills;
  readonly options: Omit<DiceLossOptions, 'otherAct'> & { readonly otherAct?: string };
  readonly termsShape: Shape;
  readonly terms: readonly number[];
  readonly gradient: { readonly sum: number; readonly l2: number; readonly first8: readonly number[] };
}

const { dice: cases } = JSON.parse(readFileSync(join(__dirname, '../../../test/golden/losses.json'), 'utf8')) as {
  readonly dice: readonly DiceCase[];
};
const activations: Readonly<Record<string, Activation>> = { tanh, exp };

const golden = JSON.parse(readFileSync(join(__dirname, '../../../test/golden/metrics.json'), 'utf8')).dice_loss_tiny;
const logits = [-2, -1, 0, 1, 2, 0.5, -0.5, 3, 1, 1, 1, 1];
const target = [0, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0];

describe('the Dice loss', () => {
  it('has the loss and the gradient of MONAI, with no gradient for a class that is absent', () => {
    const b = new Builder();
    const [z, g] = [b.input('z', [1, 3, 1, 4]), b.input('g', [1, 3, 1, 4])];
    const loss = writeLossOf(b, z, g, { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true });
    b.output('loss', loss);
    b.output('dz', differentiate(b, loss, [z])[0]!);
    const results = interpret(
      b.build(),
      new Map([
        ['z', logits],
        ['g', target],
      ]),
    );
    expect(results.get('loss')![0]).toBeCloseTo(golden.loss, 12);
    for (const [i, value] of (golden.grad as number[]).entries()) expect(results.get('dz')![i]).toBeCloseTo(value, 12);
  });

  it('refuses a label of another shape', () => {
    const b = new Builder();
    const [z, g] = [b.input('z', [1, 3, 4]), b.input('g', [1, 1, 4])];
    expect(() => writeLossOf(b, z, g, { kind: 'dice' })).toThrow(
      /needs a label of shape \[1,3,4\], but it is \[1,1,4\]/,
    );
  });

  it.each(cases.map((example) => ({ title: JSON.stringify(example.options), example })))(
    'has the terms of PyTorch, their shape and gradient: $title',
    ({ example }) => {
      const { shape, prediction, label, options, terms, termsShape, gradient } = example;
      const b = new Builder();
      const x = b.input('x', shape);
      const y = b.input('y', label === 'classes' ? ofClasses(shape) : shape);
      const { otherAct, ...others } = options;
      const found = writeDiceLoss(b, x, y, otherAct ? { ...others, otherAct: activations[otherAct]! } : others);
      expect(found.shape).toEqual(termsShape);
      const weights = Array.from({ length: sizeOf(termsShape) }, (_, i) => i + 1);
      const weighted = b.mul(found, b.emit('Constant', [], { shape: termsShape, values: weights }));
      b.output('terms', found);
      b.output('dx', differentiate(b, b.reshape(b.reduceSum(weighted), []), [x])[0]!);
      const feeds = new Map([
        ['x', fills[prediction](shape)],
        ['y', fills[label](shape)],
      ]);
      const results = interpret(b.build(), feeds);
      for (const [i, value] of terms.entries()) expect(results.get('terms')![i]).toBeCloseTo(value, 12);
      expect(statsError(results.get('dx')!, gradient)).toBeLessThan(1e-10);
    },
  );

  it('applies one activation only', () => {
    const b = new Builder();
    const [z, g] = [b.input('z', [1, 3, 4]), b.input('g', [1, 3, 4])];
    expect(() => writeDiceLoss(b, z, g, { sigmoid: true, otherAct: tanh })).toThrow(/one activation/);
  });
});
