import {
  ConfigError,
  defineTrainer,
  modelState,
  type NamedTensors,
  openEvaluator,
  openTrainer,
  optimiserState,
  randomStream,
  startRound,
  type TrainingState,
  z,
} from '../../src';

const shape = [1, 1, 16, 16];

/** Trains the job's network to remove noise from pictures of discs: one step a picture, with Adam. */
export const denoiser = defineTrainer({
  module: __filename,
  kind: 'example/denoiser',
  options: z.strictObject({ steps: z.int().positive(), learningRate: z.number().positive() }),
  siteConfig: z.strictObject({ noise: z.number().positive() }),
  create: ({ steps, learningRate }, { site, seed, config, network, engine }) => {
    if (!network) throw new ConfigError('The denoiser needs a network, but the job has only tensors.');
    const training = { model: network, optimiser: { kind: 'adam' } } as const;
    const sizes = { inputShape: shape, labelShape: shape, targetShape: shape };
    const session = openTrainer({ ...training, ...sizes, ...engine, loss: { kind: 'mse' }, proximal: false });
    const evaluator = openEvaluator({ model: network, ...sizes, ...engine, metrics: { error: { kind: 'mse' } } });
    let state: TrainingState | undefined;
    let saved: NamedTensors | undefined;

    return {
      async train({ model, round }, { signal, progress }) {
        // The moments of Adam live at the site, from round to round.
        state = startRound(training, model, state, saved);
        let sum = 0;
        for (let step = 0; step < steps; step++) {
          signal.throwIfAborted();
          const batch = picture(config.noise, randomStream(seed, site, 'picture', round, step));
          const { loss } = await (await session).step(state, { ...batch, learningRate, dropoutSeed: 0 });
          progress({ phase: 'train', done: step + 1, total: steps, loss });
          sum += loss;
        }
        return { weights: modelState(network, state), metrics: { train_loss: sum / steps }, steps };
      },
      async validate({ model }) {
        const { image, label } = picture(config.noise, randomStream(seed, site, 'validation'));
        const scores = await (await evaluator).run(model, { image, target: label });
        return { error: scores.get('error')![0]! };
      },
      state: () => state && optimiserState(state),
      restore(earlier) {
        state = undefined;
        saved = earlier;
      },
    };
  },
});

/** A disc somewhere, and the same with noise. */
function picture(noise: number, random: { random(): number }): { image: Float32Array; label: Float32Array } {
  const [x, y, radius] = [4 + 8 * random.random(), 4 + 8 * random.random(), 2 + 4 * random.random()];
  const label = Float32Array.from({ length: 256 }, (_, i) =>
    Math.hypot((i % 16) - x, Math.floor(i / 16) - y) < radius ? 1 : 0,
  );
  return { label, image: label.map((value) => value + noise * (random.random() - 0.5)) };
}
