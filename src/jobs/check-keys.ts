import { ConfigError } from '../errors';
import { didYouMean } from '../util/nearest';

/** @throws ConfigError for a key that is not known, with the nearest. */
export function checkKeys(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new ConfigError(
    `${what} has no option '${unknown}'.${didYouMean(unknown, known)} Known: ${known.join(', ')}.`,
    {
      hint: 'Correct the name, or leave the option out.',
    },
  );
}
