import { initialise, segResNet } from '../src/nn/model';
import { openPredictor } from '../src/nn/predictor';
async function main() {
  const s = [240, 240, 160]; const model = segResNet(); const v = s.reduce((a, b) => a * b);
  const image = Float32Array.from({ length: 4 * v }, (_, i) => Math.sin(i));
  const p = await openPredictor({ model, inputShape: [1, 4, ...s], threads: 2 });
  const state = initialise(model, 0) as any;
  for (let i = 0; i < 3; i++) { const t = performance.now(); await p.run(state.parameters ?? state, image); console.log((performance.now() - t).toFixed(0), 'ms', (process.memoryUsage().rss / 1e6).toFixed(0), (process.resourceUsage().maxRSS/1e3).toFixed(0)); }
}
main();
