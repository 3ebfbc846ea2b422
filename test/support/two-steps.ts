/** Two training steps of a small network; prints a hash of the losses and of all that the steps changed. */
import { createHash } from 'node:crypto';
import { initialise, segResNet } from '../../src/nn/model';
import { newTrainingState, openTrainer, type TrainerOptions } from '../../src/nn/trainer';
import { bratsLoss } from './segresnet-golden';

async function main(threads: number): Promise<void> {
  const model = segResNet({ initFilters: 16, inChannels: 2, outChannels: 2, blocksDown: [1, 1], blocksUp: [1] });
  const shape = [1, 2, 16, 16, 16];
  const options: TrainerOptions = {
    model,
    loss: bratsLoss,
    optimiser: { kind: 'adamw' },
    clip: { kind: 'norm', max: 0.1 },
    inputShape: shape,
    labelShape: shape,
    proximal: false,
    threads,
  };
  const session = await openTrainer(options);
  const state = newTrainingState(options, initialise(model, 5));
  const image = Float32Array.from({ length: 2 * 16 ** 3 }, (_, i) => Math.sin(i));
  const label = image.map((x) => Number(x > 0.3));
  const hash = createHash('sha256');
  for (const dropoutSeed of [1, 2]) {
    const { loss } = await session.step(state, { image, label, learningRate: 1e-2, dropoutSeed });
    hash.update(String(loss));
  }
  const changed = [state.parameters, ...state.slots.values()].flatMap((tensors) => [...tensors.values()]);
  for (const { data } of changed) hash.update(data as Float32Array);
  console.log(hash.digest('hex'));
}

void main(Number(process.argv[2]));
