/** How long the privacy filters take on an update of the size of SegResNet's, on one core. NumPy needs 0.61 s for the original. */
import type { Filter, FilterContext } from '../src/filters/filter';
import { svt } from '../src/filters/svt';
import { svtNvflare } from '../src/filters/svt-nvflare';
import { cryptoNoise } from '../src/privacy/crypto-noise';
import type { Payload } from '../src/protocol/payload';
import { float32, type Tensor } from '../src/tensor/tensor';
import { median } from './measure';

const TENSORS = 83;
const NUMBERS = 4_702_227;
const flags = { fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 };

function update(): Payload {
  const tensors = new Map<string, Tensor>();
  for (let t = 0, from = 0; t < TENSORS; t++) {
    const to = Math.round((NUMBERS * (t + 1)) / TENSORS);
    tensors.set(
      `tensor.${t}`,
      float32(
        [to - from],
        Float32Array.from({ length: to - from }, () => (Math.random() - 0.5) * 1e-3),
      ),
    );
    from = to;
  }
  return { kind: 'weight-diff', tensors, metrics: {}, steps: 6 };
}

async function measure(filter: Filter, payload: Payload): Promise<number> {
  const context: FilterContext = {
    site: 'site-1',
    task: 'train',
    round: 0,
    signal: new AbortController().signal,
    noise: cryptoNoise(),
    spent: () => 0,
    charge: () => Promise.resolve(),
  };
  const seconds: number[] = [];
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    await filter.apply(payload, context);
    seconds.push((performance.now() - start) / 1000);
  }
  return median(seconds);
}

/** Median seconds of one call of each filter. */
export async function filters(): Promise<Readonly<Record<string, number>>> {
  const payload = update();
  return { svt: await measure(svt(flags), payload), 'svt-nvflare': await measure(svtNvflare(flags), payload) };
}
