/**
 * A JSON reader for headers that strangers wrote. Unlike `JSON.parse` it refuses duplicate keys, keeps the order of keys
 * (also of those that look like numbers), bounds the depth, and never creates properties: objects become maps.
 *
 * @module
 */
import { DataError } from '../errors';
import type { Json } from './json';

export type StrictJson = null | boolean | number | string | readonly StrictJson[] | ReadonlyMap<string, StrictJson>;

export interface StrictJsonOptions {
  /** What is read, for messages. Default 'JSON'. */
  readonly what?: string;
  /** Deepest nesting of arrays and objects that is accepted. Default 16. */
  readonly maxDepth?: number;
}

/** Keys that reach an object's prototype where somebody merges carelessly. */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** The value with objects in place of maps. @throws DataError for a key that could reach an object's prototype. */
export function plainJson(value: StrictJson, what = 'JSON'): Json {
  if (Array.isArray(value)) return value.map((item) => plainJson(item, what));
  if (!(value instanceof Map)) return value as null | boolean | number | string;
  const object: Record<string, Json> = {};
  for (const [key, item] of value as ReadonlyMap<string, StrictJson>) {
    if (refusedKeys.has(key)) throw new DataError(`${what} has the key '${key}', which is not allowed.`);
    object[key] = plainJson(item, what);
  }
  return object;
}

interface Cursor {
  readonly text: string;
  readonly what: string;
  readonly maxDepth: number;
  at: number;
}

const wordPattern = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const spacePattern = /[ \t\n\r]*/y;

/** The value that `text` holds. @throws DataError on anything but one JSON value without duplicate keys. */
export function parseStrictJson(text: string, options: StrictJsonOptions = {}): StrictJson {
  const cursor: Cursor = { text, what: options.what ?? 'JSON', maxDepth: options.maxDepth ?? 16, at: 0 };
  const value = readValue(cursor, 0);
  skipSpace(cursor);
  if (cursor.at < text.length) throw unexpected(cursor, 'the end');
  return value;
}

function readValue(cursor: Cursor, depth: number): StrictJson {
  if (depth > cursor.maxDepth) {
    throw new DataError(`${cursor.what} is nested deeper than ${cursor.maxDepth} levels.`);
  }
  skipSpace(cursor);
  const next = cursor.text[cursor.at];
  if (next === '{') return readObject(cursor, depth);
  if (next === '[') return readArray(cursor, depth);
  if (next === '"') return readString(cursor);
  const word = match(cursor, wordPattern);
  if (word === undefined) throw unexpected(cursor, 'a value');
  return parsePart(cursor, word) as null | boolean | number;
}

function readObject(cursor: Cursor, depth: number): ReadonlyMap<string, StrictJson> {
  const entries = new Map<string, StrictJson>();
  readItems(cursor, '}', () => {
    skipSpace(cursor);
    const key = readString(cursor);
    if (entries.has(key)) throw new DataError(`${cursor.what} has the key ${JSON.stringify(key.slice(0, 100))} twice.`);
    skipSpace(cursor);
    if (cursor.text[cursor.at] !== ':') throw unexpected(cursor, "':'");
    cursor.at++;
    entries.set(key, readValue(cursor, depth + 1));
  });
  return entries;
}

function readArray(cursor: Cursor, depth: number): readonly StrictJson[] {
  const items: StrictJson[] = [];
  readItems(cursor, ']', () => items.push(readValue(cursor, depth + 1)));
  return items;
}

/** Reads from the opening bracket to `close`, calling `readItem` between commas. */
function readItems(cursor: Cursor, close: string, readItem: () => void): void {
  cursor.at++;
  skipSpace(cursor);
  if (cursor.text[cursor.at] === close) {
    cursor.at++;
    return;
  }
  for (;;) {
    readItem();
    skipSpace(cursor);
    const next = cursor.text[cursor.at];
    if (next !== ',' && next !== close) throw unexpected(cursor, `',' or '${close}'`);
    cursor.at++;
    if (next === close) return;
  }
}

function readString(cursor: Cursor): string {
  const { text, at } = cursor;
  if (text[at] !== '"') throw unexpected(cursor, 'a string');
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) throw unexpected(cursor, 'a closed string');
  cursor.at = end + 1;
  return parsePart(cursor, text.slice(at, end + 1)) as string;
}

function parsePart(cursor: Cursor, part: string): unknown {
  try {
    return JSON.parse(part);
  } catch (cause) {
    throw new DataError(`${cursor.what} holds ${part.slice(0, 40)}, which is not JSON.`, { cause });
  }
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}

function skipSpace(cursor: Cursor): void {
  match(cursor, spacePattern);
}

function unexpected(cursor: Cursor, expected: string): DataError {
  const found = cursor.text.slice(cursor.at, cursor.at + 20);
  const what = found === '' ? 'the end' : JSON.stringify(found);
  return new DataError(`${cursor.what} is malformed at character ${cursor.at}: expected ${expected}, found ${what}.`);
}
