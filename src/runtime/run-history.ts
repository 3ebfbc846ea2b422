/**
 * The lines of a run's report so far. A run may take thousands of rounds: of all but the newest lines only their packed text is
 * kept, so that memory does not fill with them, and sums go on beside it.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { InternalError } from '../errors';
import { noteShortLived } from '../util/collect-garbage';
import { fromJson, toJson } from '../util/exact-json';
import { type EarlierLines, epsilonOf, type RoundLine, roundLine } from './round-line';

/** Lines that are packed together. */
const packLines = 50;
const between = ',\n';

interface Content {
  /** Texts of {@link packLines} lines each, deflated. */
  readonly packs: readonly Uint8Array[];
  /** Texts of the lines after them: as many again are left open, at most. */
  readonly texts: readonly string[];
  readonly last: RoundLine | undefined;
  readonly highestRound: number;
  /** The lines of that round. */
  readonly ofHighest: readonly RoundLine[];
  readonly privacy: RoundLine['privacy'];
  readonly epsilonBySite: ReadonlyMap<string, number>;
}

const nothing: Content = {
  packs: [],
  texts: [],
  last: undefined,
  highestRound: -1,
  ofHighest: [],
  privacy: undefined,
  epsilonBySite: new Map(),
};

/** Never changes: {@link RunHistory.with} gives the one after a further line. */
export class RunHistory implements EarlierLines {
  static readonly empty = new RunHistory(nothing);
  readonly #content: Content;

  private constructor(content: Content) {
    this.#content = content;
  }

  /** Of lines that were read from a file. */
  static of(lines: readonly RoundLine[]): RunHistory {
    return new RunHistory(lines.reduce((content, line) => withLine(content, line, toJson(line)), nothing));
  }

  /** @throws InternalError when the line could not be read again: sites have a say in what it holds. */
  with(line: RoundLine): RunHistory {
    return new RunHistory(withLine(this.#content, line, readableText(line)));
  }

  get length(): number {
    const { packs, texts } = this.#content;
    return packs.length * packLines + texts.length;
  }

  get last(): RoundLine | undefined {
    return this.#content.last;
  }

  /** Of the last round that had a cost: its `epsilonTotal` is the run's. */
  get privacy(): RoundLine['privacy'] {
    return this.#content.privacy;
  }

  /** ε that a site was charged so far (basic composition). */
  epsilonOf(site: string): number {
    return this.#content.epsilonBySite.get(site) ?? 0;
  }

  /** The lines of a round, in order; it takes time for any but the highest. */
  ofRound(round: number): readonly RoundLine[] {
    const { highestRound, ofHighest } = this.#content;
    if (round > highestRound) return [];
    return round === highestRound ? ofHighest : this.lines().filter((line) => line.round === round);
  }

  /** All of them, read anew. */
  lines(): readonly RoundLine[] {
    return fromJson(`[${Buffer.concat(this.text())}]`) as RoundLine[]; // Our own text: each line was checked when it came.
  }

  /** Their JSON with commas between, in pieces of UTF-8. */
  text(): readonly Uint8Array[] {
    const { packs, texts } = this.#content;
    const pieces = packs.map((packed) => inflateRawSync(packed));
    for (const { length } of pieces) noteShortLived(length);
    if (texts.length > 0) pieces.push(Buffer.from(texts.join(between)));
    return pieces.flatMap((piece, i) => (i === 0 ? [piece] : [Buffer.from(between), piece]));
  }
}

function withLine(content: Content, line: RoundLine, text: string): Content {
  const { highestRound, ofHighest } = content;
  return {
    ...withText(content, text),
    last: line,
    highestRound: Math.max(highestRound, line.round),
    ofHighest: line.round > highestRound ? [line] : line.round === highestRound ? [...ofHighest, line] : ofHighest,
    privacy: line.privacy ?? content.privacy,
    epsilonBySite: charged(content.epsilonBySite, line),
  };
}

function withText({ packs, texts }: Content, text: string): Pick<Content, 'packs' | 'texts'> {
  const all = [...texts, text];
  if (all.length < 2 * packLines) return { packs, texts: all };
  // Copied: what comes is a piece of something larger.
  const packed = new Uint8Array(deflateRawSync(all.slice(0, packLines).join(between)));
  return { packs: [...packs, packed], texts: all.slice(packLines) };
}

function charged(before: ReadonlyMap<string, number>, { sites }: RoundLine): ReadonlyMap<string, number> {
  const costs = sites.filter(({ privacy = [] }) => privacy.length > 0);
  if (costs.length === 0) return before;
  const after = new Map(before);
  for (const { name, privacy = [] } of costs) after.set(name, epsilonOf(privacy, after.get(name)));
  return after;
}

function readableText(line: RoundLine): string {
  const text = toJson(line);
  const { error } = roundLine.safeParse(fromJson(text));
  if (error) throw new InternalError(`The report of round ${line.round} cannot be kept: ${error.issues[0]?.message}.`);
  return text;
}
