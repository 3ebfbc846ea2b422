/**
 * Readers of flag values. Each names the flag, what came and what is allowed.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors';
import { jobId } from '../protocol/wire/messages';

/** A whole number of at least `least`. */
export function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return value;
  };
}

/** A port of the network. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
    throw new InvalidArgumentError('Expected a port, a whole number from 1 to 65535.');
  }
  return port;
}

/** The id of a job at a server. */
export function jobIdOf(text: string): string {
  if (jobId.safeParse(text).success) return text;
  throw new InvalidArgumentError(
    'Expected the id of a job, such as brats18_4-1f0a9c3e: `consilium jobs` lists those of a server.',
  );
}

/** A finite number above (or, with `orEqual`, from) `least`, up to `most`. */
export function realNumber({ least, orEqual = false, most = Number.POSITIVE_INFINITY }: Range) {
  return (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const enough = orEqual ? value >= least : value > least;
    if (!Number.isFinite(value) || !enough || value > most) {
      const upper = most === Number.POSITIVE_INFINITY ? '' : ` and at most ${most}`;
      throw new InvalidArgumentError(`Expected a number ${orEqual ? 'of at least' : 'above'} ${least}${upper}.`);
    }
    return value;
  };
}

interface Range {
  readonly least: number;
  readonly orEqual?: boolean;
  readonly most?: number;
}

export type Size3 = readonly [number, number, number];

/** Collects the three numbers of a size, X Y Z, as they come. Check the result with {@link size3}. */
export function sizePart(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), wholeNumber(1)(text)];
}

/** @throws ConfigError naming the flag when there are not exactly three numbers. */
export function size3(flag: string, parts: readonly number[] | undefined): Size3 | undefined {
  if (parts === undefined) return undefined;
  const [x, y, z] = parts;
  if (parts.length !== 3 || x === undefined || y === undefined || z === undefined) {
    throw new ConfigError(`${flag} needs three whole numbers, X Y Z, but got ${parts.join(' ')}.`, {
      hint: `For example: ${flag} 64 64 48`,
    });
  }
  return [x, y, z];
}

/** The name of a run, which is also that of its folder. */
export function jobName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text)) {
    throw new InvalidArgumentError('Expected letters, digits, dots, dashes and underscores, at most 100 of them.');
  }
  return text;
}
