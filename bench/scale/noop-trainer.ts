import { defineTrainer, z } from '../../src';

/** Training code that costs nothing, so that what a round takes is the framework's: the received weights, after one step. */
export const noopTrainer = defineTrainer({
  module: __filename,
  kind: 'bench/noop',
  options: z.strictObject({}),
  create: () => ({ train: async ({ model }) => ({ weights: model, steps: 1 }) }),
});
