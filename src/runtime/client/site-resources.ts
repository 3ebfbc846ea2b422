import { totalmem } from 'node:os';
import type { SiteResources } from '../../protocol/wire/messages';
import type { SiteSettings } from './site-settings';

/** What a site tells the server that it has to offer: what its settings say, else what the machine has. */
export function resourcesOf({ slots, memoryMb, provider }: Pick<SiteSettings, 'slots' | 'memoryMb' | 'provider'>) {
  const gpus = provider === undefined || provider === 'cpu' ? 0 : 1;
  return { slots, memoryMb: memoryMb ?? Math.floor(totalmem() / 1e6), gpus } satisfies SiteResources;
}
