import { defineFilter, floatsOf, mapFloats, z } from '../../src';

/** Scales an update down to a largest length, so that no site moves the model further than that in a round. */
export const normClip = defineFilter({
  module: __filename,
  kind: 'example/norm-clip',
  options: z.strictObject({ maxNorm: z.number().positive() }),
  create: ({ maxNorm }) => ({
    name: 'norm-clip',
    accepts: ['weight-diff'],
    apply(payload) {
      let squares = 0;
      for (const tensor of payload.tensors.values()) for (const x of floatsOf(tensor)) squares += x * x;
      const scale = Math.min(1, maxNorm / Math.sqrt(squares));
      return { ...payload, tensors: mapFloats(payload.tensors, (x) => x * scale) };
    },
  }),
});
