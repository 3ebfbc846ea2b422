import { ConfigError } from '../errors';

/**
 * The execution provider that `--gpu` names: `webgpu`, `cuda`, `cuda:<device>`, or a device number as the original takes it.
 *
 * @throws ConfigError for anything else, lists of devices included: one process tree uses one device.
 */
export function parseProvider(text: string): string {
  if (/^(cpu|webgpu|cuda|cuda:\d+)$/.test(text)) return text;
  if (/^\d+$/.test(text)) return `cuda:${text}`;
  throw new ConfigError(`--gpu is '${text}', but should be webgpu, cuda, cuda:<device> or a device number.`, {
    hint: 'Several devices at once are not supported; leave the flag out to use the CPU.',
  });
}
