import { expect, it } from 'vitest';
import { collectGarbage } from './collect-garbage';

it('collecting garbage gives the memory of dead arrays back', () => {
  const held = () => process.memoryUsage().arrayBuffers;
  const before = held();
  let dead: Float32Array | undefined = new Float32Array(2 ** 24);
  expect(held() - before).toBeGreaterThan(2 ** 25);
  expect(dead.length).toBe(2 ** 24);
  dead = undefined;
  collectGarbage();
  expect(held() - before).toBeLessThan(2 ** 25);
});
