/**
 * Sessions of onnxruntime-node, which is imported on first use and nowhere else.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { EngineError } from '../errors';
import type { Shape } from '../tensor/tensor';
import { assertAvailable, type Provider, parseProvider, remedies, runtime } from './provider';

export interface SessionOptions {
  /** Threads inside an operator; results do not depend on it. 1 … 256. */
  readonly threads: number;
  /** `cpu` (default), `webgpu`, `cuda` or `cuda:<device>`. */
  readonly provider?: string;
  /** Whether the memory of values is pooled between and within runs: faster, but it holds more. @default true */
  readonly pooled?: boolean;
  /** Refuse a model of which the provider would leave an operator to the CPU. @default false */
  readonly whole?: boolean;
}

/** A float32 tensor that goes into a run or comes out of it. */
export interface Feed {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface Session {
  /**
   * Runs the model. It blocks this thread although it returns a promise.
   *
   * @param fetches the outputs to compute; all when omitted
   * @throws EngineError when the runtime fails
   */
  run(feeds: ReadonlyMap<string, Feed>, fetches?: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
}

const MAX_THREADS = 256;
const cache = new Map<string, Promise<Session>>();

/**
 * A session for the model's bytes: the same one, within this process, for equal bytes and options. Sessions live as
 * long as the process, since releasing one does not give all its memory back (onnxruntime issue 25325).
 *
 * @throws EngineError when the options are out of range, the provider is missing or the runtime refuses the model
 */
export async function openSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const { threads, pooled = true, whole = false } = options;
  const provider = parseProvider(options.provider ?? 'cpu');
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new EngineError(`A session needs 1 to ${MAX_THREADS} threads, but ${threads} were asked for.`);
  }
  const settings = JSON.stringify([threads, provider, pooled, whole]);
  const key = createHash('sha256').update(model).update(settings).digest('base64');
  const cached = cache.get(key);
  if (cached) return cached;
  const opening = create(model, { threads, pooled, whole }, provider);
  cache.set(key, opening);
  opening.catch(() => cache.delete(key));
  return opening;
}

async function create(
  model: Uint8Array,
  { threads, pooled, whole }: Required<Pick<SessionOptions, 'threads' | 'pooled' | 'whole'>>,
  provider: Provider,
): Promise<Session> {
  const ort = await runtime();
  assertAvailable(ort, provider);
  const { kind } = provider;
  const options: InferenceSession.SessionOptions = {
    executionProviders: [configOf(provider)],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // The models are written in the form in which they should run: optimising them would double the time to open.
    graphOptimizationLevel: 'disabled',
    // One block for all values of a run, as memory patterns ask for, costs a third more memory and saves no time.
    enableMemPattern: false,
    enableCpuMemArena: pooled,
    ...(whole && { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
    logSeverityLevel: 4,
  };
  const session = await ort.InferenceSession.create(model, options).catch((cause: unknown) => {
    throw new EngineError(`The runtime refused the model on '${kind}': ${reason(cause)}`, {
      cause,
      ...(kind === 'cpu' ? {} : { hint: remedies[kind] }),
    });
  });
  return { run: (feeds, fetches) => run(session, ort.Tensor, feeds, fetches) };
}

/**
 * WebGPU keeps channels before positions, as the models are written. In its own layout it would transpose around every
 * convolution, and onnxruntime 1.30 computes some of them wrongly: by channels that three divides and four does not, by
 * groups of unequal runs of four, and with margins after the axes only.
 */
function configOf({ kind, deviceId }: Provider): InferenceSession.ExecutionProviderConfig {
  if (kind === 'webgpu') return { name: kind, preferredLayout: 'NCHW' };
  return deviceId === undefined ? kind : { name: kind, deviceId };
}

async function run(
  session: InferenceSession,
  tensorClass: typeof OrtTensor,
  feeds: ReadonlyMap<string, Feed>,
  fetches: readonly string[] = session.outputNames,
): Promise<ReadonlyMap<string, Float32Array>> {
  const inputs: Record<string, OrtTensor> = {};
  for (const [name, { shape, data }] of feeds) inputs[name] = new tensorClass('float32', data, [...shape]);
  const outputs = await session.run(inputs, [...fetches]).catch((cause: unknown) => {
    throw new EngineError(`The runtime failed: ${reason(cause)}`, {
      cause,
      hint: 'If it ran out of memory, lower the roi size or the number of threads (slots).',
    });
  });
  return new Map(fetches.map((name) => [name, outputs[name]!.data as Float32Array]));
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
