/** How long the privacy filters take on an update of the size of SegResNet's: `npx ts-node bench/svt.ts [repeats]`. */
import type { Filter, FilterContext } from '../src/filters/filter';
import { svt } from '../src/filters/svt';
import { svtNvflare } from '../src/filters/svt-nvflare';
import { cryptoNoise } from '../src/privacy/crypto-noise';
import type { Payload } from '../src/protocol/payload';
import { float32, type Tensor } from '../src/tensor/tensor';

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

async function measure(filter: Filter, payload: Payload, repeats: number): Promise<void> {
  const context: FilterContext = {
    site: 'site-1',
    task: 'train',
    round: 0,
    signal: new AbortController().signal,
    noise: cryptoNoise(),
    spent: () => 0,
    charge: () => Promise.resolve(),
  };
  const milliseconds: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await filter.apply(payload, context);
    milliseconds.push(performance.now() - start);
  }
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[repeats >> 1]!, sorted[repeats - 1]!];
  console.log(
    `${filter.name}: median ${median.toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)}, ${repeats} runs of ${NUMBERS} numbers in ${TENSORS} tensors)`,
  );
}

async function main(): Promise<void> {
  const repeats = Number(process.argv[2] ?? 9);
  const payload = update();
  await measure(svt(flags), payload, repeats);
  await measure(svtNvflare(flags), payload, repeats);
}

void main();
