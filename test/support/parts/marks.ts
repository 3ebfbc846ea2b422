import { defineFilter, defineTrainer, FilterBlockedError, floatsOf, mapFloats, z } from '../../../src';

/** Leaves a mark on what passes: on a model it adds a number to it, on an answer it puts a metric into it. */
export const mark = defineFilter({
  module: __filename,
  kind: 'test/mark',
  options: z.strictObject({ metric: z.string().optional(), add: z.number().optional() }),
  create: ({ metric, add }) => ({
    name: 'mark',
    accepts: ['weights', 'weight-diff', 'metrics'],
    apply(payload) {
      const metrics = metric === undefined ? payload.metrics : { ...payload.metrics, [metric]: 1 };
      const tensors = add === undefined ? payload.tensors : mapFloats(payload.tensors, (x) => x + add);
      return { ...payload, metrics, tensors };
    },
  }),
});

/** Changes what it is given in place, and says that it did. */
export const scribble = defineFilter({
  module: __filename,
  kind: 'test/scribble',
  options: z.strictObject({}),
  create: () => ({
    name: 'scribble',
    accepts: ['weights'],
    apply(payload) {
      for (const tensor of payload.tensors.values()) floatsOf(tensor).fill(7);
      return payload;
    },
  }),
});

/** Charges a cost for every payload. */
export const charge = defineFilter({
  module: __filename,
  kind: 'test/charge',
  options: z.strictObject({ epsilon: z.number() }),
  create: ({ epsilon }) => ({
    name: `charge-${epsilon}`,
    accepts: ['weights', 'weight-diff', 'metrics'],
    async apply(payload, { charge }) {
      const cost = { mechanism: 'test', differentiallyPrivate: false, epsilon, delta: 0, unit: 'record', details: {} };
      await charge(`charge-${epsilon}`, cost);
      return payload;
    },
  }),
});

/** Lets nothing pass. */
export const block = defineFilter({
  module: __filename,
  kind: 'test/block',
  options: z.strictObject({}),
  create: () => ({
    name: 'block',
    accepts: ['weights', 'weight-diff', 'metrics'],
    apply() {
      throw new FilterBlockedError('too few cases');
    },
  }),
});

/** Tells what it received and what it knows of its site, and trains nothing, whatever it does to the model in place. */
export const teller = defineTrainer({
  module: __filename,
  kind: 'test/teller',
  options: z.strictObject({ progress: z.int().default(0), step: z.number().default(0) }),
  create: ({ progress: turns, step }, { config, site, job, seed, log }) => ({
    async train({ model, round }, { progress, signal }) {
      for (let turn = 1; turn <= turns; turn++) {
        signal.throwIfAborted();
        progress({ phase: 'train', done: turn, total: turns, loss: turn });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      log(`${job} ${site} ${seed} ${round} ${JSON.stringify(config)}`);
      for (const tensor of model.values()) {
        const numbers = floatsOf(tensor);
        for (let i = 0; i < numbers.length; i++) numbers[i]! += step;
      }
      return { weights: model, steps: 1 };
    },
    async validate({ model }) {
      const [received = 0] = floatsOf([...model.values()][0]!);
      return { received, config: typeof config === 'number' ? config : null };
    },
  }),
});
