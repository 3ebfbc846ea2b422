/**
 * What a model is lowered for. Targets change which operators compute a thing, never what is computed.
 *
 * @module
 */

import { probeChannelBlock } from './channel-block';
import { parseProvider } from './provider';

export interface Target {
  /** The kind of device that computes, when it is not the CPU. */
  readonly device?: 'webgpu' | 'cuda';
  /**
   * Channels in a block of the CPU provider's blocked activation layout, when its kernels for that layout may be used.
   * A property of the processor.
   */
  readonly channelBlock?: number;
  /** Use that layout wherever it is possible, not only where it pays: for probing and testing. */
  readonly alwaysBlocked?: boolean;
}

/** The target for a provider on this machine. Its answer depends on nothing else, so neither do results. */
export async function targetFor(provider: string): Promise<Target> {
  const { kind } = parseProvider(provider);
  if (kind !== 'cpu') return { device: kind };
  const channelBlock = await probeChannelBlock();
  return channelBlock === undefined ? {} : { channelBlock };
}
