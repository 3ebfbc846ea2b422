/** A network and a data set of a user's own, for the segmentation trainer of ours. */
import { type CaseSource, defineData, defineModel, randomStream, z } from '../../../src';

/** One convolution from the image to the regions. */
export const oneConvolution = defineModel({
  module: __filename,
  kind: 'test/one-convolution',
  options: z.strictObject({ kernel: z.int().positive().default(3) }),
  create: ({ kernel }) => {
    const fanIn = 4 * kernel ** 3;
    const weight = {
      name: 'conv.weight',
      shape: [3, 4, kernel, kernel, kernel],
      initialiser: { kind: 'uniform', fanIn },
    } as const;
    return {
      kind: 'test/one-convolution',
      options: { kernel },
      spatialDims: 3,
      inChannels: 4,
      outChannels: 3,
      spatialDivisor: 1,
      parameters: [weight],
      draws: [weight],
      build({ b, image, parameters }) {
        const padding = (kernel - 1) / 2;
        return b.conv(image, parameters.get('conv.weight')!, {
          stride: [1, 1, 1],
          padding: [padding, padding, padding],
        });
      },
    };
  },
});

const side = 8;

/** Noise whose bright voxels are the regions. */
export const brightVoxels = defineData({
  module: __filename,
  kind: 'test/bright-voxels',
  options: z.strictObject({ cases: z.int().positive() }),
  siteConfig: z.strictObject({ threshold: z.number() }),
  create: ({ cases }, { site, seed, config }): CaseSource => {
    const draw = (...name: (string | number)[]) => {
      const random = randomStream(seed, site, ...name);
      const image = Float32Array.from({ length: 4 * side ** 3 }, () => random.random());
      const label = Float32Array.from({ length: 3 * side ** 3 }, (_, i) => (image[i]! > config.threshold ? 1 : 0));
      return { image, label };
    };
    return {
      lists: async () => ({ training: cases, validation: ['validation'] }),
      training: (round, epochs) => stream(Array.from({ length: cases * epochs }, (_, i) => draw('training', round, i))),
      validation: (indices) =>
        stream(
          indices.map((i) => ({ name: `case-${i}`, shape: [4, side, side, side] as const, ...draw('validation', i) })),
        ),
    };
  },
});

function stream<T>(items: readonly T[]) {
  return {
    async *[Symbol.asyncIterator]() {
      yield* items;
    },
    close: () => {},
  };
}
