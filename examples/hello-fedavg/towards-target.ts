import { defineTrainer, floatsOf, mapFloats, z } from '../../src';

/** "Training" that moves every number towards the site's own target: enough to watch averaging work. */
export const towardsTarget = defineTrainer({
  module: __filename,
  kind: 'example/towards-target',
  options: z.strictObject({ rate: z.number().gt(0).max(1) }),
  siteConfig: z.number(),
  create: ({ rate }, { config: target }) => ({
    async train({ model }) {
      return { weights: mapFloats(model, (x) => x + rate * (target - x)), steps: 1 };
    },
    async validate({ model }) {
      const squares = [...model.values()].flatMap((tensor) => [...floatsOf(tensor)].map((x) => (x - target) ** 2));
      return { error: squares.reduce((sum, square) => sum + square, 0) / squares.length };
    },
  }),
});
