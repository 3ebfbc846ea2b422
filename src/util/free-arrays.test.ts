import { expect, it, vi } from 'vitest';
import { collectGarbage } from './collect-garbage';
import { freeArraysInPlace } from './free-arrays';

it('arrays that their own thread frees are gone when the collection ends, and the engine knows the flag', () => {
  const complained = vi.spyOn(process.stderr, 'write');
  freeArraysInPlace();
  const held = () => process.memoryUsage().arrayBuffers;
  const before = held();
  let dead: Float32Array[] | undefined = Array.from({ length: 8 }, () => new Float32Array(2 ** 22));
  expect(dead.length).toBe(8);
  expect(held() - before).toBeGreaterThan(7 * 2 ** 24);
  dead = undefined;
  collectGarbage();
  expect(held() - before).toBeLessThan(2 ** 24);
  expect(complained).not.toHaveBeenCalled();
});
