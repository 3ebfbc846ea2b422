import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineTrainer, float32, floatsOf, type NamedTensors, z } from '../../src';

/** Fits y = slope · x + offset to the points of a site's own CSV file, by gradient descent. */
export const fitCsv = defineTrainer({
  module: __filename,
  kind: 'example/fit-csv',
  options: z.strictObject({ epochs: z.int().positive() }),
  siteConfig: z.strictObject({ file: z.string().min(1), learningRate: z.number().positive().default(0.1) }),
  create: ({ epochs }, { folder, config, log }) => {
    const [, ...lines] = readFileSync(resolve(folder, config.file), 'utf8').trim().split('\n');
    const points = lines.map((line) => line.split(',').map(Number) as [number, number]);
    log(`${points.length} points in ${config.file}`);
    return {
      async train({ model }) {
        let [slope, offset] = parameters(model);
        for (let epoch = 0; epoch < epochs; epoch++) {
          for (const [x, y] of points) {
            const error = slope * x + offset - y;
            slope -= config.learningRate * error * x;
            offset -= config.learningRate * error;
          }
        }
        return { weights: new Map([['line', float32([2], [slope, offset])]]), steps: epochs * points.length };
      },
      async validate({ model }) {
        const [slope, offset] = parameters(model);
        const squares = points.map(([x, y]) => (slope * x + offset - y) ** 2);
        return { error: squares.reduce((sum, square) => sum + square, 0) / points.length };
      },
    };
  },
});

function parameters(model: NamedTensors): [slope: number, offset: number] {
  const [slope = 0, offset = 0] = floatsOf(model.get('line')!);
  return [slope, offset];
}
