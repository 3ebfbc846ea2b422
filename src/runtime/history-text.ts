/**
 * The lines of a run's report as the text that checkpoints hold. A line never changes: it is turned into text once, not once a
 * round, and what lies further back is kept packed, so that the memory of a long run does not fill with it.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { InternalError } from '../errors';
import { fromJson, toJson } from '../util/exact-json';
import { type RoundLine, roundLine } from './round-line';

/** Lines that are packed together. */
const packLines = 50;
const between = ',\n';

interface Pack {
  readonly lines: readonly RoundLine[];
  readonly packed: Uint8Array;
}

/** Turns histories into text that are each the one before and further lines; any other one costs time only. */
export function historyTexts(): (history: readonly RoundLine[]) => string {
  const texts = new WeakMap<RoundLine, string>();
  let packs: Pack[] = [];

  return function textOf(history) {
    packs = packs.slice(0, known(history));
    const last = history.slice(packs.length * packLines);
    for (; last.length >= 2 * packLines; ) packs.push(pack(last.splice(0, packLines)));
    return [...packs.map(({ packed }) => inflateRawSync(packed).toString()), ...last.map(lineText)].join(between);
  };

  /** The packs at the beginning that hold just the lines of this history. */
  function known(history: readonly RoundLine[]): number {
    const other = packs.findIndex(({ lines }, p) => lines.some((line, i) => history[p * packLines + i] !== line));
    return other === -1 ? packs.length : other;
  }

  function pack(lines: readonly RoundLine[]): Pack {
    const packed = deflateRawSync(lines.map(lineText).join(between));
    for (const line of lines) texts.delete(line);
    return { lines, packed: new Uint8Array(packed) }; // Its own memory: what comes is a piece of something larger.
  }

  function lineText(line: RoundLine): string {
    const text = texts.get(line) ?? readableText(line);
    texts.set(line, text);
    return text;
  }
}

/** Sites have a say in what a line holds: it is written only if it can be read again. */
function readableText(line: RoundLine): string {
  const text = toJson(line);
  const { error } = roundLine.safeParse(fromJson(text));
  if (error) throw new InternalError(`The report of round ${line.round} cannot be kept: ${error.issues[0]?.message}.`);
  return text;
}
