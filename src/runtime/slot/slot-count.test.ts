import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import type { JobSpec } from '../../jobs/job-spec';
import { slotCount } from './slot-count';

const job = (provider: string, sites: number) =>
  ({ engine: { provider }, sites: Array.from({ length: sites }, (_, i) => `site-${i + 1}`) }) as unknown as JobSpec;

it('is the number of cores, or as many as asked for, but at most one a site', () => {
  expect(slotCount(job('cpu', 1000))).toBe(availableParallelism());
  expect(slotCount(job('cpu', 4), 3)).toBe(3);
  expect(slotCount(job('cuda', 2), 3)).toBe(2);
});

it('is one on WebGPU, whose device two threads cannot use at a time', () => {
  expect(slotCount(job('webgpu', 4))).toBe(1);
  expect(slotCount(job('webgpu', 1), 3)).toBe(1);
  expect(() => slotCount(job('webgpu', 4), 2)).toThrow(/'webgpu' one site trains at a time, but threads is 2/);
});
