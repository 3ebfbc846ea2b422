import { describe, expect, it } from 'vitest';
import { chiSquare, chiSquareLimit } from '../../test/support/statistics';
import { bernoulliTable, drawEvent, setProbability } from './bernoulli-table';
import type { NoiseSource } from './noise-source';
import { RandomWords } from './random-words';
import { seededTestNoise } from './seeded-test-noise';

/** A source that gives these words and then zeros. */
function scripted(...script: readonly number[]): RandomWords {
  const fill = (bytes: Uint8Array): Uint8Array => {
    new Uint32Array(bytes.buffer).fill(0).set(script);
    return bytes;
  };
  return new RandomWords({ cryptographic: false, fill });
}

describe('RandomWords', () => {
  it('decides a Bernoulli event by the binary expansion of its probability, to the last bit', () => {
    const p = (0x1234_5678 + 0x8000_0100 / 2 ** 32) / 2 ** 32;
    expect(scripted(0x1234_5677).bernoulli(p)).toBe(true);
    expect(scripted(0x1234_5679).bernoulli(p)).toBe(false);
    expect(scripted(0x1234_5678, 0x8000_00ff).bernoulli(p)).toBe(true);
    expect(scripted(0x1234_5678, 0x8000_0100).bernoulli(p)).toBe(false);
    expect(scripted(0, 0, 0, 1).bernoulli(2 ** -126)).toBe(true);
    expect(scripted(0, 0, 0, 4).bernoulli(2 ** -126)).toBe(false);
  });

  it('never draws the impossible and always the certain', () => {
    for (const word of [0, 1, 0x8000_0000, 0xffff_ffff]) {
      expect([scripted(word).bernoulli(0), scripted(word).bernoulli(1)]).toEqual([false, true]);
    }
  });

  it('decides by a table as it does without one', () => {
    const probabilities = [0, 1, 0.5, 1 / 3, 1 - 2 ** -53, 2 ** -40, 0.9999999999];
    const table = bernoulliTable(probabilities.length);
    for (const [i, p] of probabilities.entries()) setProbability(table, i, p);
    const script = [0, 1, 0x5555_5555, 0x8000_0000, 0xffff_fffe, 0xffff_ffff].flatMap((a) => [
      [a, 0] as const,
      [a, 0xffff_ffff] as const,
    ]);
    for (const [i, p] of probabilities.entries()) {
      for (const words of script) expect(drawEvent(table, i, scripted(...words))).toBe(scripted(...words).bernoulli(p));
    }
  });

  it.each([1, 2, 3, 10, 1000])('draws integers below %i uniformly', (n) => {
    const words = new RandomWords(seededTestNoise(n));
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 100 * n; i++) counts[words.below(n)]! += 1;
    const expected = new Array<number>(n).fill(100);
    expect(chiSquare(counts, expected)).toBeLessThanOrEqual(chiSquareLimit(Math.max(1, n - 1)));
  });

  it('uses each word of its source once, however long the draw', () => {
    let state = 0;
    const counting: NoiseSource = {
      cryptographic: false,
      fill: (bytes) => {
        const view = new Uint32Array(bytes.buffer);
        for (let i = 0; i < view.length; i++) view[i] = state++;
        return bytes;
      },
    };
    const words = new RandomWords(counting);
    for (let i = 0; i < 600_000; i++) if (words.next() !== i) throw new Error(`word ${i} was skipped or repeated`);
  });

  it('leaves no used noise in memory', () => {
    const seen: Uint8Array[] = [];
    const source = seededTestNoise(1);
    const fill = (bytes: Uint8Array): Uint8Array => {
      seen.push(bytes);
      return source.fill(bytes);
    };
    const words = new RandomWords({ cryptographic: false, fill });
    for (let i = 0; i < 2000; i++) words.next();
    words.dispose();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });
});
