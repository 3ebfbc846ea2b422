import { defineTrainer, float32, floatsOf, type NamedTensors, z } from '../../src';

/** Fits y = a·x + b to what a site has seen of y = sin 3x, by gradient descent. A site's configuration is its range of x. */
export const fitLine = defineTrainer({
  module: __filename,
  kind: 'example/fit-line',
  options: z.strictObject({ steps: z.int().positive(), rate: z.number().positive() }),
  siteConfig: z.tuple([z.number(), z.number()]),
  create: ({ steps, rate }, { config: [from, to] }) => {
    const xs = Array.from({ length: 20 }, (_, i) => from + ((to - from) * i) / 19);
    const points = xs.map((x) => [x, Math.sin(3 * x)] as const);
    return {
      async train({ model }) {
        let [a, b] = lineOf(model);
        for (let step = 0; step < steps; step++) {
          const misses = points.map(([x, y]) => [x, a * x + b - y] as const);
          a -= rate * mean(misses.map(([x, miss]) => 2 * miss * x));
          b -= rate * mean(misses.map(([, miss]) => 2 * miss));
        }
        return { weights: new Map([['line', float32([2], [a, b])]]), steps };
      },
      async validate({ model }) {
        const [a, b] = lineOf(model);
        return { error: mean(points.map(([x, y]) => Math.abs(a * x + b - y))) };
      },
    };
  },
});

function lineOf(model: NamedTensors): [a: number, b: number] {
  const [a = 0, b = 0] = floatsOf(model.get('line')!);
  return [a, b];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
