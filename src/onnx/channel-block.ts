/**
 * The size of a channel block in the runtime's blocked layout: 16 with AVX-512, 8 or 4 on other processors. The runtime
 * does not tell, so a small convolution is computed with each and compared.
 *
 * @module
 */
import { Builder } from '../graph/builder';
import { interpret } from '../graph/interpret';
import { sizeOf } from '../tensor/tensor';
import { toOnnx } from './export';
import { openSession } from './session';

const CANDIDATES = [16, 8, 4];

let probing: Promise<number | undefined> | undefined;

/** The block size; undefined where the runtime has no such kernels. Probed once in a process, in some milliseconds. */
export function probeChannelBlock(): Promise<number | undefined> {
  probing ??= probe();
  return probing;
}

async function probe(): Promise<number | undefined> {
  for (const size of CANDIDATES) if (await computesRight(size)) return size;
  return undefined;
}

/** Whether a convolution of 32 channels comes out right with blocks of `size` channels. */
async function computesRight(size: number): Promise<boolean> {
  const b = new Builder();
  const [x, weight] = [b.input('x', [1, 32, 3, 3, 4]), b.input('weight', [32, 32, 3, 3, 3])];
  b.output('y', b.conv(x, weight, { stride: [1, 1, 1], padding: [1, 1, 1] }));
  const graph = b.build();
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * 7919) % 211) / 211);
  const feeds = new Map([...graph.inputs].map(([name, { shape }]) => [name, numbers(sizeOf(shape))]));
  const inputs = [...graph.inputs].map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const);
  const target = { channelBlock: size, alwaysBlocked: true };
  try {
    const session = await openSession(toOnnx(graph, target), { threads: 1 });
    const y = (await session.run(new Map(inputs))).get('y')!;
    const expected = interpret(graph, feeds).get('y')!;
    return expected.every((value, i) => Math.abs(value - y[i]!) < 1e-3 * Math.abs(value));
  } catch {
    // The runtime refuses a layout that it does not have: that is the answer.
    return false;
  }
}
