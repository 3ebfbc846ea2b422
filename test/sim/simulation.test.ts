import { describe, expect, it } from 'vitest';
import { runSeed } from './run-seed';

const seeds = 500;

describe('a federation on a bad network, bad disks and machines that die', () => {
  it(`keeps its promises in ${seeds} simulations, each told by its seed`, { timeout: 600_000 }, async () => {
    const broken: string[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const { violations } = await runSeed(seed);
      for (const violation of violations) broken.push(`seed=${seed}: ${violation}`);
    }
    expect(broken).toEqual([]);
  });

  it('does the same again for the same seed, event by event', async () => {
    for (const seed of [3, 8, 19, 101]) {
      const [once, again] = [await runSeed(seed), await runSeed(seed)];
      expect(again.digest).toBe(once.digest);
      expect(once.lines.length).toBeGreaterThan(30);
    }
  });
});
