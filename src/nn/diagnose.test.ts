import { describe, expect, it } from 'vitest';
import { Builder } from '../graph/builder';
import { differentiate } from '../graph/differentiate';
import { openGraph } from '../onnx/open-graph';
import { allFinite, firstNonFinite } from './diagnose';
import { instanceNorm } from './layers/norm';
import { maxPool } from './layers/pool';

describe('allFinite', () => {
  it('holds for every finite number, the largest and the smallest included', () => {
    expect(allFinite(Float32Array.of(0, -0, 1, -3.4028234663852886e38, 3.4028234663852886e38, 1.4e-45))).toBe(true);
    expect(allFinite(new Float32Array())).toBe(true);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'does not hold with %d at any place',
    (x) => {
      for (let i = 0; i < 5; i++) expect(allFinite(new Float32Array(5).fill(1).with(i, x))).toBe(false);
    },
  );
});

describe('firstNonFinite', () => {
  const b = new Builder();
  const x = b.input('x', [2]);
  const root = b.inLayer('stem', () => b.sqrt(b.sub(x, b.parameter('shift', [2]))));
  b.output('y', b.reshape(b.reduceSum(root), []));
  const graph = b.build();
  const find = (xs: readonly number[], shift: readonly number[]) => {
    const feeds = [
      ['x', { shape: [2], data: Float32Array.from(xs) }],
      ['shift', { shape: [2], data: Float32Array.from(shift) }],
    ] as const;
    return firstNonFinite(graph, new Map(feeds), { threads: 1 });
  };

  it('names what was fed, or what was computed and where', async () => {
    expect(await find([1, 2], [0, Number.NaN])).toBe("the parameter 'shift' [2]");
    expect(await find([1, Number.POSITIVE_INFINITY], [0, 0])).toBe("the input 'x' [2]");
    expect(await find([1, 2], [0, 3])).toBe("the result [2] of Sqrt in layer 'stem'");
    expect(await find([3e38, 2], [-3e38, 0])).toBe("the result [2] of Sub with 'shift' in layer 'stem'");
    expect(await find([3, 2], [1, 1])).toBeUndefined();
  });

  /** A root of negative numbers, where asked for behind a normalisation, in a max pooling. */
  async function pooledRoot(normalised: boolean) {
    const net = new Builder();
    const image = net.input('x', [1, 1, 4]);
    const affine = { scale: net.parameter('scale', [1]), shift: net.parameter('shift', [1]) };
    const root = net.inLayer('stem', () => net.sqrt(net.mul(image, affine.scale)));
    const activation = normalised ? net.relu(instanceNorm(net, root, { ...affine, training: true })) : root;
    const loss = net.reshape(net.reduceSum(maxPool(net, activation, { kernel: 2 })), []);
    net.output('loss', loss);
    net.output('gradient', differentiate(net, loss, [affine.scale])[0]!);
    const graph = net.build();
    const feed = (shape: readonly number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });
    const feeds = new Map([
      ['x', feed([1, 1, 4], -1, 4, 1, 9)],
      ['scale', feed([1], 1)],
      ['shift', feed([1], 0)],
    ]);
    const results = await (await openGraph(graph, { threads: 1 })).run(feeds);
    return { results, origin: await firstNonFinite(graph, feeds, { threads: 1 }) };
  }

  it('finds a NaN that a max pooling hides', async () => {
    const { results, origin } = await pooledRoot(false);
    expect(results.get('loss')![0]).toBe(5);
    expect(origin).toBe("the result [1,1,4] of Sqrt in layer 'stem'");
  });

  it('is called for, as the gradients of a normalisation before a max pooling show a NaN', async () => {
    const { results, origin } = await pooledRoot(true);
    expect(allFinite(results.get('gradient')!)).toBe(false);
    expect(origin).toBe("the result [1,1,4] of Sqrt in layer 'stem'");
  });
});
