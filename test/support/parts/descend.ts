import { defineTrainer, float32, floatsOf, z } from '../../../src';

/** Gradient descent on ½·(w − target)², by the learning rate and the terms that the task asks for. */
export const descend = defineTrainer({
  module: __filename,
  kind: 'test/descend',
  options: z.strictObject({ steps: z.int().positive() }),
  siteConfig: z.number(),
  create: ({ steps }, { config: target, log }) => ({
    async train({ model, settings }, { correction, reference = model }) {
      const { learningRate = 0.3, proximalMu = 0 } = z
        .looseObject({ learningRate: z.number().optional(), proximalMu: z.number().optional() })
        .parse(settings ?? {});
      log(`settings ${JSON.stringify(settings ?? null)}, correction ${correction ? 'given' : 'absent'}`);
      const trained = [...model].map(([name, tensor]) => {
        const received = floatsOf(tensor);
        const added = correction && floatsOf(correction.get(name)!);
        const near = floatsOf(reference.get(name)!);
        const w = Float64Array.from(received);
        for (let step = 0; step < steps; step++) {
          for (let i = 0; i < w.length; i++) {
            const gradient = w[i]! - target + proximalMu * (w[i]! - near[i]!) + (added?.[i] ?? 0);
            w[i]! -= learningRate * gradient;
          }
        }
        return [name, float32(tensor.shape, Float32Array.from(w))] as const;
      });
      return { weights: new Map(trained), steps };
    },
    async validate({ model }) {
      const distances = [...model.values()].flatMap((tensor) => [...floatsOf(tensor)].map((x) => Math.abs(x - target)));
      return { distance: Math.max(...distances) };
    },
  }),
});
