import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** What `two-steps.ts` prints in a process of its own. */
function hashOf(threads: number): string {
  const script = ['--require', 'ts-node/register/transpile-only', 'test/support/two-steps.ts', String(threads)];
  const { stdout, stderr } = spawnSync('node', script, { encoding: 'utf8' });
  return stdout.trim() || stderr;
}

it('gives the same bits for the same seed in three fresh processes with 1, 2 and 3 threads', () => {
  const hashes = [1, 2, 3].map(hashOf);
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(hashes).size).toBe(1);
});
