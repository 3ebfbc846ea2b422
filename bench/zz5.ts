import { toOnnx } from '../src/onnx/export';
import { openSession } from '../src/onnx/session';
import { targetFor } from '../src/onnx/target';
import { segResNet, initialise } from '../src/nn/model';
import { stepGraph } from '../src/nn/step-graph';
import { newTrainingState, openTrainer } from '../src/nn/trainer';
async function main() {
  const model = segResNet(); const s = [32, 32, 32];
  const options = { model, optimiser: { kind: 'adam', weightDecay: 1e-5 }, loss: { kind: 'dice', squaredPred: true, sigmoid: true }, inputShape: [1, 4, ...s], labelShape: [1, 3, ...s], proximal: false, threads: 1 } as const;
  await openSession(toOnnx(stepGraph(options).graph, await targetFor('webgpu')), { threads: 1, provider: 'webgpu', whole: true });
  console.log('whole');
  const image = Float32Array.from({ length: 4 * 32768 }, (_, i) => Math.sin(i)); const label = Float32Array.from({ length: 3 * 32768 }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  for (const provider of ['cpu', 'webgpu']) {
    const session = await openTrainer({ ...options, provider }); const state = newTrainingState(options, initialise(model, 0));
    for (let i = 0; i < 2; i++) { const t = performance.now(); const r = await session.step(state, { image, label, learningRate: 1e-3, dropoutSeed: i }); console.log(provider, (performance.now() - t).toFixed(0), r.loss); }
  }
}
main();
