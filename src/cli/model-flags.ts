/**
 * Readers of the flags that say which options a model has.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander';
import { ConfigError } from '../errors';
import { wholeNumber } from './flags';

type Options = Readonly<Record<string, unknown>>;

/** Collects `key=value`; the value is JSON where it can be read as such, and text otherwise. */
export function addOption(text: string, before: Options = {}): Options {
  const [, key, value] = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('Expected key=value, such as initFilters=8 or blocksDown=[1,2,2].');
  }
  return { ...before, [key]: jsonOr(value) };
}

/** Collects the numbers of `--shape`. */
export function addSpatialLength(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, wholeNumber(1)(text)];
}

/** The options of both flags; `--option` wins. @throws ConfigError when `--options` is no JSON object */
export function parseModelOptions(flags: { readonly option?: Options; readonly options?: string }): Options {
  const parsed: unknown = flags.options === undefined ? {} : jsonOr(flags.options);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`--options must be a JSON object, but is ${flags.options}.`, {
      hint: `For example: --options '{"initFilters": 8}'`,
    });
  }
  return { ...parsed, ...flags.option };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
