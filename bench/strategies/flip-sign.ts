import { defineFilter, mapFloats, z } from '../../src';

/** A site that works against the others: it sends the opposite of what it learnt, and more of it. */
export const flipSign = defineFilter({
  module: __filename,
  kind: 'bench/flip-sign',
  options: z.strictObject({ factor: z.number().positive().default(1) }),
  create: ({ factor }) => ({
    name: 'flip-sign',
    accepts: ['weight-diff'],
    async apply(payload) {
      return { ...payload, tensors: mapFloats(payload.tensors, (change) => -factor * change) };
    },
  }),
});
