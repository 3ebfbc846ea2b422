/**
 * A YAML text as plain data, with the place of every value. Only what JSON can say gets through, and every key once.
 *
 * @module
 */
import type { ParsedNode, Scalar } from 'yaml';
import { syntaxProblem } from './yaml-errors';
import { checkText, scanYaml, type TextProblem } from './yaml-guard';
import { yaml } from './yaml-library';

export type Path = readonly PropertyKey[];

/** Where something stands in the text. Offsets count UTF-16 units. */
export interface Place {
  /** Of the value. */
  readonly value: number;
  /** Of the key in front of it. */
  readonly key: number | undefined;
  /** How a scalar is written, such as `1e400` or `"10"`. */
  readonly source: string | undefined;
}

export interface YamlDocument {
  readonly text: string;
  readonly value: unknown;
  /** What is wrong with the text itself. The value is then not to be used. */
  readonly problems: readonly TextProblem[];
  placeOf(path: Path): Place | undefined;
}

/** Reads one document. Never throws: what is wrong is listed. */
export function readYaml(raw: string): YamlDocument {
  const checked = checkText(raw);
  if ('problems' in checked) return failed(raw, checked.problems);
  const { text } = checked;
  const scanned = scanYaml(text);
  if ('problems' in scanned) return failed(text, scanned.problems);
  // Duplicate keys are looked for below: the library compares every pair of keys.
  const composer = new (yaml().Composer)({ uniqueKeys: false, merge: false, schema: 'core', prettyErrors: false });
  const [document, second] = [...composer.compose(scanned.tokens, true, text.length)];
  if (second) return failed(text, [{ offset: second.range[0], message: 'a second document; the file holds one' }]);
  const complaints = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  if (complaints.length > 0) {
    return failed(
      text,
      complaints.map((complaint) => syntaxProblem(complaint, text)),
    );
  }
  return readNodes(text, (document?.contents ?? null) as ParsedNode | null);
}

function failed(text: string, problems: readonly TextProblem[]): YamlDocument {
  return { text, value: undefined, problems, placeOf: () => undefined };
}

/** State of one reading. */
interface Reading {
  readonly text: string;
  readonly problems: TextProblem[];
  readonly places: Map<string, Place>;
}

function readNodes(text: string, contents: ParsedNode | null): YamlDocument {
  const reading: Reading = { text, problems: [], places: new Map() };
  const value = readNode(reading, contents, [], undefined);
  return { text, value, problems: reading.problems, placeOf: (path) => reading.places.get(nameOf(path)) };
}

/** Keys may hold anything but U+0000. */
function nameOf(path: Path): string {
  return path.map(String).join('\0');
}

function readNode(reading: Reading, node: ParsedNode | null, path: Path, key: number | undefined): unknown {
  const { isMap, isScalar, isSeq } = yaml();
  const [start, end] = node?.range ?? [key ?? 0, key ?? 0];
  const source = isScalar(node) && end > start ? reading.text.slice(start, end) : undefined;
  reading.places.set(nameOf(path), { value: start, key, source });
  if (isSeq(node)) return node.items.map((item, i) => readNode(reading, item as ParsedNode, [...path, i], undefined));
  if (isMap(node)) return readMap(reading, node.items as readonly MapItem[], path);
  return isScalar(node) ? readScalar(reading, node, start) : null;
}

interface MapItem {
  readonly key: ParsedNode;
  readonly value: ParsedNode | null;
}

function readMap(reading: Reading, items: readonly MapItem[], path: Path): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const { isScalar } = yaml();
  const seen = new Set<string>();
  for (const item of items) {
    const offset = item.key?.range[0] ?? 0;
    const key = isScalar(item.key) ? item.key.value : undefined;
    const again = typeof key === 'string' && seen.has(key);
    const problem = again ? `the key '${key}' stands here a second time` : problemOfKey(key);
    if (problem !== undefined) reading.problems.push({ offset, message: problem });
    if (problem !== undefined || typeof key !== 'string') continue;
    seen.add(key);
    value[key] = readNode(reading, item.value, [...path, key], offset);
  }
  return value;
}

function problemOfKey(key: unknown): string | undefined {
  if (key === '<<') return 'merge keys are not allowed; write the values again where they are needed';
  if (typeof key === 'string') {
    return ['__proto__', 'constructor', 'prototype'].includes(key) ? `'${key}' is not allowed as a key` : undefined;
  }
  const what = typeof key === 'number' || typeof key === 'boolean' ? `, so write '${key}' in quotes` : '';
  return `a key must be a text${what}`;
}

/** JSON has no NaN and no infinities, and a number that is rounded on the way in is not the one that was written. */
function readScalar(reading: Reading, { value, source = '' }: Scalar.Parsed, offset: number): unknown {
  if (typeof value !== 'number') return value;
  const whole = /^[-+]?\d+$/.test(source);
  const problem = !Number.isFinite(value)
    ? `${source} is no finite number`
    : whole && source !== String(value) && BigInt(value) !== BigInt(source.replace('+', ''))
      ? `${source} is too long to be held exactly`
      : undefined;
  if (problem !== undefined) reading.problems.push({ offset, message: problem });
  return value;
}
