/**
 * Contrasts of MRI by name, as people write what is translated into what.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { SliceDataSpec } from './data-spec';

type Contrast = SliceDataSpec['source'];

const contrasts: readonly Contrast[] = ['t1', 't2', 'flair'];

/** The ways to scale intensities; `data-spec.ts` says what they are. */
export const normalisations = [
  'slice-max',
  'volume-max',
  'percentile',
  'z-score',
  'none',
] as const satisfies readonly SliceDataSpec['normalisation'][];

/** Source and target of a translation such as `T1:T2`. @throws ConfigError for anything but two different contrasts */
export function contrastsOf(translation: string): { readonly source: Contrast; readonly target: Contrast } {
  const named = translation.toLowerCase().split(':');
  const [source, target] = named.map((name) => contrasts.find((contrast) => contrast === name));
  if (source && target && source !== target && named.length === 2) return { source, target };
  throw new ConfigError(`The translation is '${translation}', expected two different contrasts.`, {
    hint: 'Of T1, T2 and FLAIR, source and target: T1:T2, for example.',
  });
}
