/**
 * Execution providers of onnxruntime: which exist here, and what to do about one that does not.
 *
 * @module
 */
import { EngineError } from '../errors';

/** Where sessions run. */
export interface Provider {
  readonly kind: ProviderKind;
  /** The device among several; the runtime's choice when omitted. */
  readonly deviceId?: number;
}

export type ProviderKind = 'cpu' | 'webgpu' | 'cuda';

type Runtime = typeof import('onnxruntime-node');

/** What to do when a provider is missing. */
export const remedies: { readonly [K in ProviderKind]: string } = {
  cpu: 'Reinstall onnxruntime-node: the CPU provider comes with it.',
  webgpu:
    'The WebGPU provider comes with onnxruntime-node on Windows, macOS and Linux x64 and needs a GPU driver (Vulkan, Metal or Direct3D 12).',
  cuda: 'Install CUDA 12 and cuDNN 9, then the GPU libraries of the runtime: `npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12` (Linux x64).',
};

/** A provider from its name, as in job files. @throws EngineError when there is none of that name */
export function parseProvider(name: string): Provider {
  const [, kind, device] = /^(cpu|webgpu|cuda)(?::(\d+))?$/.exec(name) ?? [];
  if (kind === undefined || (device !== undefined && kind !== 'cuda')) {
    throw new EngineError(`The execution provider must be cpu, webgpu, cuda or cuda:<device>, but is '${name}'.`);
  }
  const known = kind as ProviderKind;
  return device === undefined ? { kind: known } : { kind: known, deviceId: Number(device) };
}

let loading: Promise<Runtime> | undefined;

/** The runtime, loaded on first use. @throws EngineError when it cannot be loaded */
export function runtime(): Promise<Runtime> {
  loading ??= import('onnxruntime-node').then(quieten).catch((cause: unknown) => {
    loading = undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(`onnxruntime-node cannot be loaded: ${why}`, {
      cause,
      hint: 'Run `npm ci` again; the runtime has binaries for Linux, macOS (arm64) and Windows on x64 and arm64.',
    });
  });
  return loading;
}

/** Failures come as errors; the runtime's own lines on stderr say them a second time. */
function quieten(ort: Runtime): Runtime {
  ort.env.logLevel = 'fatal';
  return ort;
}

/** @throws EngineError naming what to install when the runtime does not have the provider */
export function assertAvailable(ort: Runtime, { kind }: Provider): void {
  const backends = ort.listSupportedBackends();
  if (backends.some(({ name }) => name === kind)) return;
  const names = backends.map(({ name }) => name).join(', ');
  throw new EngineError(`The runtime has no execution provider '${kind}' on this machine; it knows: ${names}.`, {
    hint: remedies[kind],
  });
}
