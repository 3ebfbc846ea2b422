import { defineTrainer, z } from '../../../src';

/** Trains nothing, and throws in the given round. */
export const failingTrainer = defineTrainer({
  module: __filename,
  kind: 'test/failing',
  options: z.strictObject({ round: z.int().nonnegative() }),
  create: ({ round: last }) => ({
    async train({ round, model }) {
      if (round === last) throw new Error('the disk of the hospital is full');
      return { weights: model, steps: 1 };
    },
    validate: async ({ round }) => ({ score: round }),
  }),
});
