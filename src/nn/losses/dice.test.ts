import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { differentiate } from '../../graph/differentiate';
import { interpret } from '../../graph/interpret';
import { writeLossOf } from './loss';

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
});
