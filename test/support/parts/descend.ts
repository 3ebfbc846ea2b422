import { defineTrainer, float32, floatsOf, z } from '../../../src';

/** Gradient descent on ½·(w − target)², by the learning rate and the terms that the task asks for. */
export const descend = defineTrainer({
  module: __filename,
  kind: 'test/descend',
  options: z.strictObject({ steps: z.int().positive() }),
  siteConfig: z.number(),
  create: ({ steps }, { config: target, log }) => ({
    async train({ model, settings }, { correction, contrast, reference = model }) {
      const { learningRate = 0.3, proximalMu = 0 } = z
        .looseObject({ learningRate: z.number().optional(), proximalMu: z.number().optional() })
        .parse(settings ?? {});
      log(`settings ${JSON.stringify(settings ?? null)}, correction ${correction ? 'given' : 'absent'}`);
      const trained = [...model].map(([name, tensor]) => {
        const received = floatsOf(tensor);
        const added = correction && floatsOf(correction.get(name)!);
        const others = contrast?.server.has(name) ? contrast.previous.map((one) => floatsOf(one.get(name)!)) : [];
        const near = floatsOf(reference.get(name)!);
        const w = Float64Array.from(received);
        for (let step = 0; step < steps; step++) {
          for (let i = 0; i < w.length; i++) {
            const away = others.reduce((sum, other) => sum + Math.sign(w[i]! - other[i]!), 0);
            const terms = proximalMu * (w[i]! - near[i]!) + (added?.[i] ?? 0) - 0.01 * (contrast?.beta ?? 0) * away;
            const gradient = w[i]! - target + terms;
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
