import { describe, expect, it } from 'vitest';
import { Builder } from './builder';
import { estimateMemory, formatBytes } from './memory';

describe('estimateMemory', () => {
  it('counts what is alive at one time, not what is computed in all', () => {
    const b = new Builder();
    let x = b.input('x', [1000]);
    for (let i = 0; i < 5; i++) x = b.sigmoid(x);
    b.output('y', b.add(x, b.parameter('w', [10, 1])));
    // A sigmoid and its input at first; at the end the last sigmoid and the sum of [10, 1000].
    expect(estimateMemory(b.build())).toMatchObject({
      fed: 4040,
      activations: 44_000,
      working: 44_000,
      results: 40_000,
    });
  });

  it('keeps what a later node needs, and outputs to the end', () => {
    const b = new Builder();
    const x = b.input('x', [100]);
    const kept = b.sigmoid(x);
    b.output('early', b.relu(x));
    b.output('late', b.add(b.sqrt(b.sqrt(kept)), kept));
    // Two outputs, the kept value and one root.
    expect(estimateMemory(b.build()).activations).toBe(1600);
  });

  it('adds the copies of operands and result while a convolution runs, what is handed out twice, and the process', () => {
    const b = new Builder();
    const x = b.relu(b.input('x', [1, 2, 10]));
    const y = b.conv(x, b.parameter('w', [3, 2, 3]), { stride: [1], padding: [1] });
    b.output('y', b.reduceSum(y));
    const { fed, activations, working, results, total } = estimateMemory(b.build());
    expect({ fed, activations, results }).toEqual({ fed: 4 * (20 + 18), activations: 4 * (20 + 30), results: 4 });
    expect(working - activations).toBe(4 * (20 + 18 + 30));
    expect(total - fed - working - results).toBe(300 * 2 ** 20);
  });

  it('takes nothing for a reshape, whose numbers live as long as the last view of them', () => {
    const b = new Builder();
    const view = b.reshape(b.sigmoid(b.input('x', [10, 10])), [100]);
    b.output('y', b.reshape(b.relu(view), [10, 10]));
    expect(estimateMemory(b.build()).activations).toBe(800);
  });

  it('frees values that nothing reads at once', () => {
    const b = new Builder();
    const [y, mean] = b.emitAll('GroupNorm', [b.input('x', [1, 2, 8]), b.input('s', [2]), b.input('t', [2])], {
      groups: 1,
      epsilon: 1e-5,
    });
    expect(mean!.shape).toEqual([1, 1]);
    b.output('z', b.relu(y!));
    expect(estimateMemory(b.build()).activations).toBe(128);
  });
});

describe('formatBytes', () => {
  it('uses the largest unit that leaves a number above one', () => {
    expect([0, 512, 1536, 3.4 * 2 ** 30, 250 * 2 ** 20].map(formatBytes)).toEqual([
      '0 B',
      '512 B',
      '1.5 KiB',
      '3.4 GiB',
      '250 MiB',
    ]);
  });
});
