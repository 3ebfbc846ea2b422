import { defineTrainer, float32, floatsOf, type Tensor, z } from '../../src';

/** "Training" that moves every number towards the site's own target: enough to watch averaging work. */
export const towardsTarget = defineTrainer({
  module: __filename,
  kind: 'example/towards-target',
  options: z.strictObject({ rate: z.number().gt(0).max(1) }),
  create: ({ rate }, { config }) => {
    const target = z.number().parse(config);
    return {
      async train({ model }) {
        const weights = new Map([...model].map(([name, tensor]) => [name, moved(tensor)]));
        return { weights, steps: 1 };
      },
      async validate({ model }) {
        const distances = [...model.values()].flatMap((tensor) =>
          [...floatsOf(tensor)].map((x) => Math.abs(target - x)),
        );
        return { distance: Math.max(...distances) };
      },
    };

    function moved(tensor: Tensor): Tensor {
      return float32(
        tensor.shape,
        [...floatsOf(tensor)].map((x) => x + rate * (target - x)),
      );
    }
  },
});
