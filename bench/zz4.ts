import { initialise, segResNet } from '../src/nn/model';
import { newTrainingState, openTrainer } from '../src/nn/trainer';
async function main() {
  const model = segResNet({ initFilters: 8 }); const s = [16, 16, 16];
  const image = Float32Array.from({ length: 4 * 4096 }, (_, i) => Math.sin(i)); const label = Float32Array.from({ length: 3 * 4096 }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  for (const provider of (process.argv[2] ?? 'cpu,webgpu').split(',')) {
    const how = { model, optimiser: { kind: 'adam', weightDecay: 1e-5 } } as const;
    const session = await openTrainer({ ...how, loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true }, inputShape: [1, 4, ...s], labelShape: [1, 3, ...s], proximal: false, threads: 2, provider });
    const state = newTrainingState(how, initialise(model, 0));
    for (let i = 0; i < 3; i++) { const t = performance.now(); const r = await session.step(state, { image, label, learningRate: 1e-3, dropoutSeed: 0 }); console.log(provider, (performance.now() - t).toFixed(0), r.loss); }
  }
}
main().then(() => (globalThis as any).endProfile?.());
