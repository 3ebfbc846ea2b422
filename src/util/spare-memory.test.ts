import { beforeEach, expect, test } from 'vitest';
import { forgetSpareMemory, giveMemoryBack, takeMemory } from './spare-memory';

const MiB = 2 ** 20;

beforeEach(forgetSpareMemory);

test('memory that was given back is handed out again, to one at a time', () => {
  const first = takeMemory(MiB - 5);
  expect(first.byteLength).toBeGreaterThanOrEqual(MiB - 5);
  expect(takeMemory(MiB - 5)).not.toBe(first);
  giveMemoryBack(first);
  giveMemoryBack(first);
  expect(takeMemory(MiB - 100)).toBe(first);
  expect(takeMemory(MiB - 100)).not.toBe(first);
});

test('no more than 128 MiB are kept, and nothing once they are forgotten', () => {
  const taken = Array.from({ length: 5 }, () => takeMemory(20 * MiB));
  taken.forEach(giveMemoryBack);
  const again = Array.from({ length: 5 }, () => takeMemory(20 * MiB));
  expect(again.filter((memory) => taken.includes(memory))).toHaveLength(3);
  giveMemoryBack(again[0]!);
  forgetSpareMemory();
  expect(takeMemory(20 * MiB)).not.toBe(again[0]);
});
