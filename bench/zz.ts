import { initialise, segResNet } from '../src/nn/model';
import { newTrainingState, openTrainer } from '../src/nn/trainer';

async function main() {
  const s = (process.argv[2] ?? '64').split(',').map(Number);
  if (s.length === 1) s.push(s[0]!, s[0]!);
  const model = segResNet();
  const v = s.reduce((a, b) => a * b);
  const image = Float32Array.from({ length: 4 * v }, (_, i) => Math.sin(i));
  const label = Float32Array.from({ length: 3 * v }, (_, i) => Number(Math.sin(i / 100) > 0.5));

  const how = { model, optimiser: { kind: 'adam', weightDecay: 1e-5 } } as const;
  const session = await openTrainer({
    ...how,
    loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true },
    inputShape: [1, 4, ...s],
    labelShape: [1, 3, ...s],
    proximal: false,
    threads: 2,
  });

  const state = newTrainingState(how, initialise(model, 0));

  for (let i = 0; i < Number(process.argv[3] ?? 4); i++) {
    const t = performance.now();
    const r = await session.step(state, { image, label, learningRate: 1e-4, dropoutSeed: 0 });
    console.log(
      (performance.now() - t).toFixed(0),
      'ms',
      (process.memoryUsage().rss / 1e6).toFixed(0),
      (process.resourceUsage().maxRSS / 1e3).toFixed(0),
      r.loss,
    );
  }

}

main();
