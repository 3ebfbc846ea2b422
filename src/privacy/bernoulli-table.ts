import type { RandomWords } from './random-words';

/**
 * Probabilities laid out for a fast exact comparison with 32-bit words: an event of probability `p` happens when a
 * uniform word lies below `high`; only when it equals `high` (once in 2^32) does `rest`, the remaining bits of `p`,
 * decide by {@link RandomWords.bernoulli}.
 */
export interface BernoulliTable {
  readonly high: Uint32Array;
  readonly rest: Float64Array;
}

export function bernoulliTable(size: number): BernoulliTable {
  return { high: new Uint32Array(size), rest: new Float64Array(size) };
}

/** Stores `p`, a double in [0, 1], exactly. */
export function setProbability(table: BernoulliTable, index: number, p: number): void {
  const scaled = Math.min(p * 0x1_0000_0000, 0xffff_ffff);
  const high = Math.floor(scaled);
  table.high[index] = high;
  table.rest[index] = p * 0x1_0000_0000 - high;
}

/** Draws the event of one entry. Hot loops write out its first line by hand. */
export function drawEvent(table: BernoulliTable, index: number, words: RandomWords): boolean {
  const word = words.next();
  const high = table.high[index]!;
  return word === high ? words.bernoulli(table.rest[index]!) : word < high;
}
